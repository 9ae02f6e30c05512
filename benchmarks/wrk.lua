-- Send the requests of a file in turn; at the end print a line of JSON.
-- Arguments: the method, the file with a path, a tab and a body in each line, and a text that no
-- other run uses.

local method, run, sent, lines = "GET", "", 0, {}

function init(arguments)
  method, run = arguments[1], arguments[3]
  wrk.headers["Content-Type"] = "application/json"
  for line in io.lines(arguments[2]) do
    local path, body = line:match("^([^\t]*)\t(.*)$")
    if body == "" then body = nil end
    local unique = body ~= nil and body:find("{unique}", 1, true) ~= nil
    lines[#lines + 1] = {
      path = path,
      body = body,
      bytes = not unique and wrk.format(method, path, nil, body) or nil,
    }
  end
end

function request()
  local line = lines[sent % #lines + 1]
  sent = sent + 1
  if line.bytes then return line.bytes end
  return wrk.format(method, line.path, nil, (line.body:gsub("{unique}", run .. "-" .. sent)))
end

function done(summary, latency)
  local errors = summary.errors
  print(string.format(
    '{"requests": %d, "seconds": %.6f, "p50": %.6f, "p99": %.6f, "errors": %d}',
    summary.requests,
    summary.duration / 1e6,
    latency:percentile(50) / 1e6,
    latency:percentile(99) / 1e6,
    errors.connect + errors.read + errors.write + errors.timeout + errors.status
  ))
end
