-- Feeds wrk with requests that were signed beforehand; no request is sent twice.
--
--   wrk ... -s feed.lua URL -- DIRECTORY [wrap] [statuses]
--
-- DIRECTORY/1, DIRECTORY/2 ... hold one slice per wrk thread: each request is its length in four
-- digits, then its bytes. `wrap` starts a slice again when it ends (only for servers that keep
-- nothing). `statuses` counts every status by itself, which costs wrk a Lua call per reply.
-- The last line printed is one JSON object for bench/load.py.

local threads = {}

function setup(thread)
   table.insert(threads, thread)
   thread:set("slice", #threads)
end

function init(args)
   file = assert(io.open(args[1] .. "/" .. slice, "rb"))
   issued, ended, counts = 0, 0, {}
   for i = 2, #args do
      if args[i] == "wrap" then wrap = true end
      -- wrk looks for a global `response` after init; without one it skips the headers.
      if args[i] == "statuses" then response = count end
   end
end

function request()
   local length = file:read(4)
   if not length and wrap then
      file:seek("set", 0)
      length = file:read(4)
   end
   if not length then
      -- Not a bet, so that the books stay comparable; the run is thrown away.
      ended = ended + 1
      wrk.thread:stop()
      return "GET /exhausted HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
   end
   issued = issued + 1
   return file:read(tonumber(length))
end

function count(status)
   counts[status] = (counts[status] or 0) + 1
end

function done(summary, latency, requests)
   local issued, ended, statuses = 0, 0, {}
   for _, thread in ipairs(threads) do
      issued = issued + thread:get("issued")
      ended = ended + thread:get("ended")
      for status, times in pairs(thread:get("counts")) do
         table.insert(statuses, string.format('[%d,%d]', status, times))
      end
   end
   local errors = summary.errors
   io.write(string.format(
      '{"replies":%d,"seconds":%.6f,"failed":%d,"broken":%d,"late":%d,"issued":%d,' ..
      '"exhausted":%d,"p50_ms":%.3f,"p90_ms":%.3f,"p99_ms":%.3f,"max_ms":%.3f,"statuses":[%s]}\n',
      summary.requests, summary.duration / 1e6, errors.status,
      errors.connect + errors.read + errors.write, errors.timeout, issued, ended,
      latency:percentile(50) / 1e3, latency:percentile(90) / 1e3, latency:percentile(99) / 1e3,
      latency.max / 1e3, table.concat(statuses, ",")))
end
