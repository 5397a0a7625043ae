"""Requests: `httpx`, `requests`, `urllib` and `http.client` over the border."""

from __future__ import annotations

import asyncio
import gzip
import http.client
import io
import json
import os
import urllib.error
import urllib.request

import httpcore2
import httpx
import pytest
import requests
from border_host import Failure, Host, run_step
from wf_guest import border, connections, loop, variables
from wf_guest.invoke import Failed
from workflows import Workflow, step
from workflows.events import StartEvent, StopEvent
from workflows.retry_policy import retry_policy, stop_after_attempt, wait_fixed

connections.install()
DENIED = Failure("denied", "`a-workflow` is not granted the request", "{}")


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch):
    """Whoever runs the tests may have some."""
    monkeypatch.setattr(urllib.request, "getproxies", dict)
    monkeypatch.setattr(urllib.request, "_opener", None)


@pytest.fixture
def ask():
    """A host that has these answers, within a step."""

    def begin(*answers):
        host = Host(http=list(answers))
        border.connect(host)
        border.begin()
        return host

    yield begin
    border.end()


def test_a_client_joins_what_it_has_with_what_a_request_has(ask):
    host = ask((200, [["content-type", "application/json"]], [b'{"a"', b":1}"]))
    with httpx.Client(base_url="https://api.test/v1/", headers={"X-Own": "1"}, params={"k": 1}, timeout=httpx.Timeout(7, connect=2)) as client:
        response = client.post("items", json={"text": "ä"}, params={"q": ["a b", True]}, headers={"x-own": "2"}, auth=("u", "p"))
    options, body = host.asked[0]
    assert (options["method"], options["url"]) == ("POST", "https://api.test/v1/items?k=1&q=a+b&q=true")
    sent = {name: value for name, value in options["headers"]}
    assert (sent["x-own"], sent["content-type"], sent["authorization"]) == ("2", "application/json", "Basic dTpw")
    assert "host" not in sent and "content-length" not in sent and body == '{"text":"ä"}'.encode()
    assert (options["first_byte_timeout"], options["idle_timeout"], options["redirects"]) == (9, 7, False)
    assert (response.json(), response.status_code, response.is_success, str(response.url)) == ({"a": 1}, 200, True, options["url"])


@pytest.mark.parametrize(
    "given, kind, body",
    [
        ({"data": {"a": "1 2", "b": [True, None]}}, "application/x-www-form-urlencoded", b"a=1+2&b=true&b="),
        ({"content": "text"}, None, b"text"),
        ({"content": iter([b"a", b"b"])}, None, b"ab"),
        ({"json": [1.5]}, "application/json", b"[1.5]"),
        ({}, None, b""),
    ],
)
def test_bodies_of_requests(ask, given, kind, body):
    host = ask((204, [], []))
    assert httpx.put("http://a.test/", **given).content == b""
    options, sent = host.asked[0]
    assert (dict(map(tuple, options["headers"])).get("content-type"), sent) == (kind, body)


def test_a_form_with_files(ask):
    host = ask((200, [], []))
    httpx.post("http://a.test/", data={"a": "1"}, files={"f": ("x.txt", io.BytesIO(b"in it"), "text/plain")})
    options, body = host.asked[0]
    kind = dict(map(tuple, options["headers"]))["content-type"]
    assert kind.startswith("multipart/form-data; boundary=")
    assert body.count(kind.partition("boundary=")[2].encode()) == 3
    assert b'name="f"; filename="x.txt"\r\nContent-Type: text/plain\r\n\r\nin it\r\n' in body


def test_a_stream_comes_in_its_parts_and_what_is_left_is_let_go(ask):
    host = ask((200, [], [b"data: 1\r", b"\ndata: ", "2ä".encode()[:2], "2ä".encode()[2:] + b"\n\nlast"]), (200, [], [b"a", b"b"]))

    async def read():
        async with httpx.AsyncClient() as client:
            async with client.stream("GET", "http://a.test/") as response:
                lines = [line async for line in response.aiter_lines()]
            async with client.stream("GET", "http://a.test/") as response:
                first = await anext(response.aiter_bytes())
            with pytest.raises(httpx.StreamConsumed):
                await response.aread()
            return lines, first

    assert loop.run(read()) == (["data: 1", "data: 2ä", "", "last"], b"a")
    assert host.closed == [2], "the first one was read to its end"


def test_other_tasks_go_on_between_the_parts(ask):
    ask((200, [], [b"1", b"2", b"3"]))
    seen = []

    async def count():
        for number in range(3):
            seen.append(number)
            await asyncio.sleep(0)

    async def read():
        other = asyncio.create_task(count())
        async with httpx.AsyncClient() as client, client.stream("GET", "http://a.test/") as response:
            async for part in response.aiter_text():
                seen.append(part)
        await other

    loop.run(read())
    assert seen[0] == 0 and seen.index(1) < seen.index("2"), seen


@pytest.mark.parametrize("encoding, packed", [("gzip", gzip.compress(b"so" * 99)), ("identity", b"so" * 99)])
def test_a_body_that_is_packed_is_unpacked(ask, encoding, packed):
    ask((200, [["Content-Encoding", encoding]], [packed[:9], packed[9:]]))
    assert httpx.get("http://a.test/").text == "so" * 99


def test_a_body_that_breaks_off_within_is_an_error(ask):
    ask((200, [["content-encoding", "gzip"]], [b"no gzip"]), (200, [], [b"a", Failure("network", "no more", "{}")]))
    with pytest.raises(httpx.DecodingError):
        httpx.get("http://a.test/")
    with pytest.raises(httpx.ReadError, match="no more"):
        httpx.get("http://a.test/")


@pytest.mark.parametrize(
    "failure, error",
    [
        (DENIED, httpx.NotGranted),
        (DENIED, httpx.ConnectError),
        (Failure("secret", "not for this host", "{}"), httpx.NotGranted),
        (Failure("timeout", "too slow", "{}"), httpx.ReadTimeout),
        (Failure("network", "nobody", "{}"), httpx.ConnectError),
        (Failure("invalid", "no header", "{}"), httpx.LocalProtocolError),
    ],
)
def test_failures_have_the_names_that_files_catch(ask, failure, error):
    ask(failure)
    with pytest.raises(error, match=failure.message) as raised:
        httpx.get("http://a.test/x")
    assert str(raised.value.request.url) == "http://a.test/x"


@pytest.mark.parametrize("url, error", [("/here", httpx.UnsupportedProtocol), ("ftp://a.test", httpx.UnsupportedProtocol), ("http://a\nb", httpx.InvalidURL), ("http://[::1", httpx.InvalidURL), ("http://a:b", httpx.InvalidURL)])
def test_what_is_no_url_is_refused_before_it_is_asked(ask, url, error):
    host = ask()
    with pytest.raises(error):
        httpx.get(url)
    assert host.asked == []


def test_an_answer_that_is_an_error_says_so(ask):
    ask((404, [], [b"none"]), (302, [["location", "/there"]], []))
    with pytest.raises(httpx.HTTPStatusError, match="Client error '404 Not Found' for url 'http://a.test/x'") as raised:
        httpx.get("http://a.test/x").raise_for_status()
    assert raised.value.response.text == "none"
    with pytest.raises(httpx.HTTPStatusError, match="Redirect location: '/there'"):
        httpx.get("http://a.test/x").raise_for_status()


def test_transports_of_tests(ask):
    answered = httpx.Client(transport=httpx.MockTransport(lambda request: httpx.Response(201, json={"saw": request.method}))).get("http://a.test")
    assert (answered.json(), answered.raise_for_status().status_code) == ({"saw": "GET"}, 201)


def test_what_may_have_been_done_is_not_asked_again(ask):
    """That a connection broke, and that there was none, are one kind of failure."""
    broke = Failure("network", "the connection broke", "{}")
    host = ask(broke, broke, broke, broke, (200, [], [b"twice"]))

    async def later(given, request):
        return await given.handle_async_request(request)

    with pytest.raises(httpx.ConnectError, match="broke"):
        httpx.Client(transport=httpx.HTTPTransport(retries=2)).post("http://a.test", content=b"pay")
    with pytest.raises(httpx.ConnectError, match="broke"):
        loop.run(later(httpx.AsyncHTTPTransport(retries=2), httpx.Request("POST", "http://a.test", content=b"pay")))

    async def body():
        yield b"pay"

    url = httpcore2.URL(scheme=b"http", host=b"a.test", port=None, target=b"/")
    with pytest.raises(httpcore2.ConnectError, match="broke"):
        httpcore2.ConnectionPool(retries=2).handle_request(httpcore2.Request(b"POST", url, content=[b"pay"]))
    with pytest.raises(httpcore2.ConnectError, match="broke"):
        loop.run(later(httpcore2.AsyncConnectionPool(retries=2), httpcore2.Request(b"POST", url, content=body())))
    assert [sent for _, sent in host.asked] == [b"pay"] * 4


def test_a_name_in_the_url_becomes_a_header(ask):
    host = ask((200, [], []))
    httpx.get("http://u:p%40@a.test/")
    options = host.asked[0][0]
    assert options["url"] == "http://a.test/" and ["authorization", "Basic dTpwQA=="] in options["headers"]


@pytest.mark.parametrize("url", ["http://a.test", "https://a.test:8443/a%20b/c?d=e&f=%2F#g", "http://[::1]:81/"])
def test_urls_stay_as_they_were_written(url):
    assert str(httpx.URL(url)) == url


def test_parts_of_urls():
    url = httpx.URL("https://u:p@a.test:443/x y?q=1")
    assert (url.scheme, url.host, url.port, url.path, url.raw_path, url.query) == ("https", "a.test", None, "/x y", b"/x%20y?q=1", b"q=1")
    assert str(url.join("../z")) == "https://u:p@a.test/z"
    assert str(url.copy_merge_params({"r": "2"})).endswith("?q=1&r=2")
    assert httpx.URL("/a", params={"b": "c"}) == "/a?b=c"


def test_headers_are_found_in_whatever_case_and_hide_who_asks():
    headers = httpx.Headers([("A", "1"), ("a", "2"), ("Authorization", "private")])
    assert (headers["a"], headers.get_list("A"), "private" in repr(headers)) == ("1, 2", ["1", "2"], False)
    headers["A"] = "3"
    headers.update({"B": "4"})
    assert dict(headers) == {"a": "3", "authorization": "private", "b": "4"}


def test_urllib_opens_what_is_granted(ask):
    host = ask((200, [["Content-Type", "application/json"], ["Transfer-Encoding", "chunked"]], [b"[1,", b"2]\n"]), (302, [["Location", "https://a.test/b"]], []), (200, [], [b"there"]))
    request = urllib.request.Request("http://a.test:81/x?y=1", data=b"{}", headers={"X-Own": "1"}, method="PUT")
    with urllib.request.urlopen(request, timeout=3) as answer:
        assert (answer.status, answer.headers["content-type"], json.load(answer)) == (200, "application/json", [1, 2])
    options, body = host.asked[0]
    assert (options["method"], options["url"], options["idle_timeout"], body) == ("PUT", "http://a.test:81/x?y=1", 3, b"{}")
    assert "1" in [it[1] for it in options["headers"] if it[0].lower() == "x-own"] and not [it for it in options["headers"] if it[0].lower() in ("host", "connection", "content-length")]
    assert urllib.request.urlopen("http://a.test/a").read() == b"there"
    assert [it[0]["url"] for it in host.asked[1:]] == ["http://a.test/a", "https://a.test/b"]


def test_what_urllib_is_refused_is_its_own_error(ask):
    ask(DENIED, (503, [["Retry-After", "3"]], [b"later"]), (200, [["Content-Length", "9"]], [b"short"]))
    with pytest.raises(urllib.error.URLError, match="is not granted the request"):
        urllib.request.urlopen("https://a.test/")
    with pytest.raises(urllib.error.HTTPError) as raised:
        urllib.request.urlopen("http://a.test/")
    assert (raised.value.code, raised.value.read()) == (503, b"later")
    with pytest.raises(http.client.IncompleteRead):
        urllib.request.urlopen("http://a.test/").read()


def test_a_connection_takes_what_is_sent_in_parts(ask):
    host = ask((200, [], [b"one"]), (200, [], [b"two"]))
    connection = http.client.HTTPSConnection("a.test")
    connection.request("POST", "/x", body=iter([b"a", b"bc"]), encode_chunked=True, headers={"Transfer-Encoding": "chunked"})
    assert connection.getresponse().read() == b"one"
    connection.putrequest("POST", "/y")
    connection.putheader("Content-Length", "2")
    connection.endheaders()
    connection.send(b"de")
    assert connection.getresponse().read() == b"two"
    assert [(it[0]["url"], it[1]) for it in host.asked] == [("https://a.test/x", b"abc"), ("https://a.test/y", b"de")]


class Asking(Workflow):
    @step(retry_policy=retry_policy(wait=wait_fixed(1), stop=stop_after_attempt(5)))
    async def ask(self, ev: StartEvent) -> StopEvent:
        if ev.get("urllib"):
            return StopEvent(result=urllib.request.urlopen("http://a.test").read().decode())
        return StopEvent(result=httpx.get("http://a.test").raise_for_status().text)


@pytest.mark.parametrize("by_urllib", [True, False])
@pytest.mark.parametrize(
    "headers, after",
    [
        ([["retry-after", "7"]], 7.0),
        ([["retry-after", "0"]], 1.0),
        ([["Retry-After", "Wed, 21 Oct 2015 07:28:05 GMT"], ["Date", "Wed, 21 Oct 2015 07:28:00 GMT"]], 5.0),
        ([["retry-after", "soon"]], 1.0),
        ([], 1.0),
    ],
)
def test_an_answer_that_asks_for_time_is_given_it(headers, after, by_urllib):
    with pytest.raises(Failed) as failed:
        run_step(Asking(), "ask", ("StartEvent", {"urllib": by_urllib}), host=Host(http=[(429, headers, [])]))
    assert failed.value.details["retry_after"] == after


@pytest.mark.parametrize("by_urllib", [True, False])
def test_what_is_not_granted_is_not_tried_again(by_urllib):
    with pytest.raises(Failed, match="is not granted the request") as failed:
        run_step(Asking(), "ask", ("StartEvent", {"urllib": by_urllib}), host=Host(http=[DENIED]))
    assert failed.value.details["retryable"] is False


def test_nothing_is_asked_while_a_component_is_built():
    border.connect(Host())
    with pytest.raises(RuntimeError, match="HTTP is for steps"):
        httpx.get("http://a.test/")


@pytest.fixture
def environment(monkeypatch):
    """The environment of a component; that of the tests stays."""
    encode, decode = os.environ.encodekey, os.environ.decodekey
    made = os._Environ({}, encode, decode, encode, decode)
    made.__class__ = variables.Variables
    monkeypatch.setattr(os, "environ", made)
    monkeypatch.setattr(variables.Variables, "_own", {})
    yield made
    border.end()


def test_variables_are_asked_for_when_a_step_looks(environment):
    with pytest.raises(KeyError, match="`A` is read while the component is built"):
        environment["A"]
    environment["OWN"] = "set when it was built"
    host = Host(variables={"A": "ä"})
    border.connect(host)
    for looks in (1, 2):
        variables.begin()
        border.begin()
        assert host.looks == looks - 1
        assert (environment["A"], os.getenv("A"), os.getenv("B", "none"), environment["OWN"], "B" in environment) == ("ä", "ä", "none", "set when it was built", False)
        environment["C"] = "gone with the step"
        assert host.looks == looks, "once an entry"
        border.end()
    variables.begin()
    border.begin()
    assert "C" not in environment
    with pytest.raises(KeyError) as missing:
        environment["SECRET"]
    assert '`a-workflow` has no variable `SECRET`: add `allow_env = ["SECRET"]` to `[workflows.a-workflow]`' in str(missing.value)
    assert "--secret SECRET=env:SECRET@https://HOST" in str(missing.value)


def test_requests_go_the_same_way(ask):
    host = ask((200, [["content-type", "application/json"]], [b'{"a":1}']), (404, [["retry-after", "2"]], [b"none"]), (200, [], [b"one\nt", b"wo"]), DENIED, (200, [], [b"no JSON"]))
    with requests.Session() as session:
        session.headers["X-Own"] = "1"
        session.auth = ("u", "p")
        answer = session.post("http://a.test/x?y=1", json={"b": 2}, params={"z": [3, 4], "none": None}, timeout=(1, 2))
    options, body = host.asked[0]
    sent = {name: value for name, value in options["headers"]}
    assert (options["url"], body, options["redirects"]) == ("http://a.test/x?y=1&z=3&z=4", b'{"b":2}', True)
    assert (sent["x-own"], sent["authorization"], options["idle_timeout"]) == ("1", "Basic dTpw", 2)
    assert (answer.json(), answer.ok, bool(answer), answer.url) == ({"a": 1}, True, True, options["url"])
    with pytest.raises(requests.HTTPError, match="404 Client Error: Not Found for url: http://a.test/") as raised:
        requests.get("http://a.test/").raise_for_status()
    assert raised.value.response.text == "none"
    with requests.get("http://a.test/", stream=True) as streamed:
        assert list(streamed.iter_lines()) == [b"one", b"two"]
    with pytest.raises(requests.exceptions.ConnectionError, match="is not granted"):
        requests.post("http://a.test/", data={"a": "b"})
    assert host.asked[3][1] == b"a=b"
    with pytest.raises(requests.exceptions.JSONDecodeError):
        requests.get("http://a.test/").json()
    with pytest.raises(requests.exceptions.MissingSchema):
        requests.get("/here")
