-- What the scripts share: who asks, at what pace, and a line of figures at the end that `bench/http_load.py` reads.
-- wrk (https://github.com/wg/wrk) runs one of the scripts in each of its threads.

math.randomseed(tonumber(os.getenv("LOAD_SEED")))

local pace_ms = tonumber(os.getenv("LOAD_PACE_MS"))
local headers = {
  ["Authorization"] = "Bearer " .. os.getenv("LOAD_KEY"),
  ["Content-Type"] = "application/json",
}

-- The ids that requests name, one a line.
function ids_of_file()
  local ids = {}
  for line in io.lines(os.getenv("LOAD_IDS")) do ids[#ids + 1] = line end
  return ids
end

function ask(method, path, body)
  return wrk.format(method, path, headers, body)
end

-- Milliseconds before each connection's next request: random, so that they do not march in step; 0 is flat out.
function delay()
  if pace_ms == 0 then return 0 end
  return -math.log(1 - math.random()) * pace_ms
end

function done(summary, latency, _)
  local errors = summary.errors
  io.write(string.format(
    'FIGURES {"requests": %d, "seconds": %f, "p50_ms": %f, "p90_ms": %f, "p99_ms": %f, "max_ms": %f, ' ..
    '"status_errors": %d, "connection_errors": %d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(90) / 1e3,
    latency:percentile(99) / 1e3, latency.max / 1e3, errors.status,
    errors.connect + errors.read + errors.write + errors.timeout))
end
