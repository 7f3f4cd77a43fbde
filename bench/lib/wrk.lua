-- What wrk sends, by the words after `--`, and the line of JSON that it ends with.

local bodies = {
  order = '{"customer":4711,"items":[{"name":"bolt","count":12,"price":35},' ..
    '{"name":"nut","count":24,"price":20},{"name":"washer","count":48,"price":5}],' ..
    '"comment":"leave it at the door"}'
}

function init(args)
  if args[1] == 'get' then
    wrk.path = args[2]
  elseif args[1] == 'post' then
    wrk.method = 'POST'
    wrk.body = bodies[args[2]]
    wrk.headers['Content-Type'] = 'application/json'
    wrk.headers['Accept'] = 'application/json'
    wrk.headers['Authorization'] = 'Bearer 0123456789abcdef'
    wrk.headers['User-Agent'] = 'wrk'
    wrk.headers['X-Request-Id'] = '6f9619ff-8b86-d011-b42d-00cf4fc964ff'
  elseif args[1] == 'pipeline' then
    -- Several requests in one: wrk counts what it sends at once, and waits for as many answers.
    local all = wrk.format():rep(tonumber(args[2]))
    wrk.format = function() return all end
  end
end

function done(summary, latency)
  local errors = summary.errors
  local fields = {
    operations = summary.requests,
    bytes = summary.bytes,
    seconds = summary.duration / 1e6,
    p50Micros = latency:percentile(50),
    p99Micros = latency:percentile(99),
    ownCpuSeconds = os.clock(),
    socketErrors = errors.connect + errors.read + errors.write,
    statusErrors = errors.status,
    timeouts = errors.timeout
  }
  local parts = {}
  for name, value in pairs(fields) do
    parts[#parts + 1] = ('"%s":%.17g'):format(name, value)
  end
  print('{' .. table.concat(parts, ',') .. '}')
end
