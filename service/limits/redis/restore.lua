-- Tells the server of hits that it may not know: what a process admitted by itself, or what was lost in a restart.
-- Hits that it knows are told apart by their time, so that it may be told any number of times.
--
-- KEYS[i]: a list of the admitted hits' times, oldest first, in microseconds.
-- ARGV[i]: big-endian doubles: the window, then times, oldest first (microseconds).

for i, key in ipairs(KEYS) do
  local told, known, merged = ARGV[i], redis.call('LRANGE', key, 0, -1), {}
  local window, place = struct.unpack('>d', told)
  local next_known = 1
  while place <= #told or known[next_known] do
    local ours = place <= #told and struct.unpack('>d', told, place) or math.huge
    local theirs = tonumber(known[next_known] or math.huge)
    if theirs <= ours then
      next_known = next_known + 1
    end
    if ours <= theirs then
      place = place + 8
    end
    merged[#merged + 1] = string.format('%.0f', math.min(ours, theirs))
  end
  if #merged > #known then
    redis.call('DEL', key)
    for first = 1, #merged, 1000 do -- as many as a call takes
      redis.call('RPUSH', key, unpack(merged, first, math.min(first + 999, #merged)))
    end
    redis.call('PEXPIREAT', key, string.format('%.0f', math.ceil((merged[#merged] + window) / 1000)))
  end
end
