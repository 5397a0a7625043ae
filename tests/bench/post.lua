-- POSTs what is in a file that the environment names, and prints what came of it as one line of JSON.
wrk.method = "POST"
wrk.body = io.open(os.getenv("BODY")):read("*a")
wrk.headers["content-type"] = "application/json"

function done(summary, latency, _)
  local errors = summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout
  io.write(string.format('{"requests":%d,"rate":%.1f,"p50":%.3f,"p99":%.3f,"errors":%d}\n', summary.requests,
    summary.requests / summary.duration * 1e6, latency:percentile(50) / 1000, latency:percentile(99) / 1000, errors))
end
