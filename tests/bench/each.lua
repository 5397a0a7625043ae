-- POSTs to each path of a file once, over all connections, and writes to another file how many seconds that took, how many
-- answers were errors, and the handlers that they name. wrk goes on for as long as it was told to, so this ends it.
local ffi = require("ffi")
ffi.cdef("typedef struct { long seconds; long nanoseconds; } moment; int clock_gettime(int clock, moment *now);")

local requests, handlers, given, asked, answered, errors, begun = {}, {}, 0, -1, 0, 0, nil

local function now()
  local moment = ffi.new("moment")
  ffi.C.clock_gettime(1, moment)
  return tonumber(moment.seconds) + tonumber(moment.nanoseconds) / 1e9
end

function init()
  for path in io.lines(os.getenv("PATHS")) do
    requests[#requests + 1] = wrk.format("POST", path, { ["content-type"] = "application/json" }, os.getenv("BODY"))
  end
end

-- The first time, wrk only looks at what it gets.
function request()
  asked = asked + 1
  begun = begun or (asked == 1 and now() or nil)
  return requests[math.max(asked, 1)]
end

-- Asked before each request that is sent. Whoever is done first waits for the others.
function delay()
  given = given + 1
  return given <= #requests and 0 or 600000
end

function response(status, _, body)
  answered = answered + 1
  if status ~= 200 and status ~= 202 then
    errors = errors + 1
  end
  handlers[answered] = body:match('"handler_id":"([^"]+)"') or ""
  if answered == #requests then
    local took = now() - begun
    local file = io.open(os.getenv("ANSWERS"), "w")
    file:write(took, "\n", errors, "\n", table.concat(handlers, "\n"))
    file:close()
    os.exit(0)
  end
end
