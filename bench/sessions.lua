-- wrk: each request is of the next of 64 sessions, whose tokens stand in the file COOKIES, one a line.
local tokens, at = {}, 0
for line in io.lines(os.getenv("COOKIES")) do tokens[#tokens + 1] = line end

local threads = 0
function setup(thread)
  thread:set("first", threads)
  threads = threads + 1
end

local requests = {}
function init()
  local mode = os.getenv("MODE")
  for i, token in ipairs(tokens) do
    -- A thread has its own half of the sessions, as it has its own half of the connections.
    if i % 2 == first % 2 then
      local headers = { Cookie = "__Host-trolley=" .. token }
      if mode == "read" then
        requests[#requests + 1] = wrk.format("GET", "/v1/cart", headers)
      else
        headers["Content-Type"] = "application/json"
        requests[#requests + 1] = wrk.format("POST", "/v1/cart/lines", headers, '{"sku":"mug-blue","quantity":1}')
      end
    end
  end
end

function request()
  at = at % #requests + 1
  return requests[at]
end

