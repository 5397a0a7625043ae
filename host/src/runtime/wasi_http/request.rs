//! Requests: made ready, and handed over.

use std::sync::{Arc, Mutex};

use serde_json::json;
use wasmtime::component::Resource;

use super::answer::{Came, FutureAnswer};
use super::bindings::{ErrorCode, Method, Scheme, outgoing_handler, types};
use super::body::{OutgoingBody, Ready, Sending, Shared};
use super::fields::Fields;
use super::internal;
use crate::runtime::guest::Guest;

/// What a guest says where, and how, a request goes.
pub struct OutgoingRequest {
    method: Method,
    scheme: Option<Scheme>,
    authority: Option<String>,
    path: Option<String>,
    headers: Fields,
    body: Option<Shared>,
}

/// How long it may take, in nanoseconds.
#[derive(Default)]
pub struct RequestOptions {
    first_byte: Option<u64>,
    between_bytes: Option<u64>,
}

impl OutgoingRequest {
    /// As the first door has it: whatever cannot be sent is said by it, in the same words.
    fn ready(&self, options: &RequestOptions) -> Result<Ready, ErrorCode> {
        let authority = self.authority.as_deref().ok_or(ErrorCode::HttpRequestUriInvalid)?;
        let scheme = match &self.scheme {
            Some(Scheme::Http) => "http",
            Some(Scheme::Https) | None => "https",
            Some(Scheme::Other(other)) => other,
        };
        let (mut headers, mut length) = (Vec::new(), None);
        for (name, value) in &self.headers.all {
            let value = std::str::from_utf8(value).map_err(|_| internal(format!("the value of the header `{name}` is no text")))?;
            match name.to_ascii_lowercase().as_str() {
                // The connection says both by itself.
                "content-length" => length = Some(value.trim().parse().map_err(|_| internal("`content-length` is no number"))?),
                "host" if value.eq_ignore_ascii_case(authority) => (),
                _ => headers.push((name, value)),
            }
        }
        let seconds = |nanoseconds: Option<u64>| nanoseconds.map(|it| it as f64 / 1e9);
        let options = json!({
            "url": format!("{scheme}://{authority}{}", self.path.as_deref().unwrap_or("/")),
            "method": method(&self.method),
            "headers": headers,
            "redirects": false,
            "first_byte_timeout": seconds(options.first_byte),
            "idle_timeout": seconds(options.between_bytes),
        });
        Ok(Ready { options: options.to_string(), length })
    }
}

fn method(method: &Method) -> &str {
    match method {
        Method::Get => "GET",
        Method::Head => "HEAD",
        Method::Post => "POST",
        Method::Put => "PUT",
        Method::Delete => "DELETE",
        Method::Connect => "CONNECT",
        Method::Options => "OPTIONS",
        Method::Trace => "TRACE",
        Method::Patch => "PATCH",
        Method::Other(other) => other,
    }
}

impl outgoing_handler::Host for Guest {
    async fn handle(
        &mut self,
        request: Resource<OutgoingRequest>,
        options: Option<Resource<RequestOptions>>,
    ) -> wasmtime::Result<Result<Resource<FutureAnswer>, ErrorCode>> {
        let request = self.table.delete(request)?;
        let options = options.map(|options| self.table.delete(options)).transpose()?.unwrap_or_default();
        let ready = match request.ready(&options) {
            Ok(ready) => ready,
            Err(error) => return Ok(Err(error)),
        };
        let came = Came::default();
        let body = match &request.body {
            Some(sending) => sending.lock().expect("no panic while locked").whole(&ready, &came),
            None => Ok(Some(Vec::new())),
        };
        match body {
            Ok(Some(body)) => {
                let answer = ready.send(self, body).await?;
                *came.lock().expect("no panic while locked") = Some(answer);
            }
            Ok(None) => (),
            Err(error) => return Ok(Err(error)),
        }
        Ok(Ok(self.table.push(FutureAnswer::new(came))?))
    }
}

impl types::HostOutgoingRequest for Guest {
    fn new(&mut self, headers: Resource<Fields>) -> wasmtime::Result<Resource<OutgoingRequest>> {
        let headers = self.table.delete(headers)?.fix();
        let request = OutgoingRequest { method: Method::Get, scheme: None, authority: None, path: None, headers, body: None };
        Ok(self.table.push(request)?)
    }

    fn body(&mut self, request: Resource<OutgoingRequest>) -> wasmtime::Result<Result<Resource<OutgoingBody>, ()>> {
        let sending = Arc::new(Mutex::new(Sending::new(&self.http.room)));
        let request = self.table.get_mut(&request)?;
        if request.body.is_some() {
            return Ok(Err(()));
        }
        request.body = Some(sending.clone());
        Ok(Ok(self.table.push(OutgoingBody::new(sending))?))
    }

    fn method(&mut self, request: Resource<OutgoingRequest>) -> wasmtime::Result<Method> {
        Ok(self.table.get(&request)?.method.clone())
    }

    fn set_method(&mut self, request: Resource<OutgoingRequest>, method: Method) -> wasmtime::Result<Result<(), ()>> {
        self.table.get_mut(&request)?.method = method;
        Ok(Ok(()))
    }

    fn path_with_query(&mut self, request: Resource<OutgoingRequest>) -> wasmtime::Result<Option<String>> {
        Ok(self.table.get(&request)?.path.clone())
    }

    fn set_path_with_query(&mut self, request: Resource<OutgoingRequest>, path: Option<String>) -> wasmtime::Result<Result<(), ()>> {
        // Else it could become a part of the authority.
        if path.as_deref().is_some_and(|path| !path.starts_with(['/', '?'])) {
            return Ok(Err(()));
        }
        self.table.get_mut(&request)?.path = path;
        Ok(Ok(()))
    }

    fn scheme(&mut self, request: Resource<OutgoingRequest>) -> wasmtime::Result<Option<Scheme>> {
        Ok(self.table.get(&request)?.scheme.clone())
    }

    fn set_scheme(&mut self, request: Resource<OutgoingRequest>, scheme: Option<Scheme>) -> wasmtime::Result<Result<(), ()>> {
        self.table.get_mut(&request)?.scheme = scheme;
        Ok(Ok(()))
    }

    fn authority(&mut self, request: Resource<OutgoingRequest>) -> wasmtime::Result<Option<String>> {
        Ok(self.table.get(&request)?.authority.clone())
    }

    fn set_authority(&mut self, request: Resource<OutgoingRequest>, authority: Option<String>) -> wasmtime::Result<Result<(), ()>> {
        // Else it could become a part of the path.
        if authority.as_deref().is_some_and(|it| it.is_empty() || it.contains(['/', '?', '#', '\\'])) {
            return Ok(Err(()));
        }
        self.table.get_mut(&request)?.authority = authority;
        Ok(Ok(()))
    }

    fn headers(&mut self, request: Resource<OutgoingRequest>) -> wasmtime::Result<Resource<Fields>> {
        let copy = self.table.get(&request)?.headers.copy()?;
        Ok(self.table.push_child(copy, &request)?)
    }

    fn drop(&mut self, request: Resource<OutgoingRequest>) -> wasmtime::Result<()> {
        self.table.delete(request)?;
        Ok(())
    }
}

impl types::HostRequestOptions for Guest {
    fn new(&mut self) -> wasmtime::Result<Resource<RequestOptions>> {
        Ok(self.table.push(RequestOptions::default())?)
    }

    fn connect_timeout(&mut self, _: Resource<RequestOptions>) -> wasmtime::Result<Option<u64>> {
        Ok(None)
    }

    /// How long a connection may take is the host's.
    fn set_connect_timeout(&mut self, _: Resource<RequestOptions>, duration: Option<u64>) -> wasmtime::Result<Result<(), ()>> {
        Ok(if duration.is_some() { Err(()) } else { Ok(()) })
    }

    fn first_byte_timeout(&mut self, options: Resource<RequestOptions>) -> wasmtime::Result<Option<u64>> {
        Ok(self.table.get(&options)?.first_byte)
    }

    fn set_first_byte_timeout(&mut self, options: Resource<RequestOptions>, duration: Option<u64>) -> wasmtime::Result<Result<(), ()>> {
        self.table.get_mut(&options)?.first_byte = duration;
        Ok(Ok(()))
    }

    fn between_bytes_timeout(&mut self, options: Resource<RequestOptions>) -> wasmtime::Result<Option<u64>> {
        Ok(self.table.get(&options)?.between_bytes)
    }

    fn set_between_bytes_timeout(&mut self, options: Resource<RequestOptions>, duration: Option<u64>) -> wasmtime::Result<Result<(), ()>> {
        self.table.get_mut(&options)?.between_bytes = duration;
        Ok(Ok(()))
    }

    fn drop(&mut self, options: Resource<RequestOptions>) -> wasmtime::Result<()> {
        self.table.delete(options)?;
        Ok(())
    }
}
