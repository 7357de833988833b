-- An exact sliding window for each key, on the server's clock: a hit at t is admitted if fewer than `limit` admitted
-- hits lie in (t - window, t]. Several decisions are one call, made in the order in which they are given.
--
-- KEYS[i]: a list of the admitted hits' times, oldest first, in microseconds.
-- ARGV[i]: big-endian doubles limit and window (microseconds), and a byte: whether an admitted hit is counted.
-- Returns one string, big-endian: the time as a double, then for each key a byte, whether it is admitted, and the
-- doubles that say how many hits are in the window now, and when the oldest of them was.

local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local stamp = string.format('%.0f', now) -- Lua itself would write it with 14 digits
local answer = {struct.pack('>d', now)}

for i, key in ipairs(KEYS) do
  local limit, window, counts = struct.unpack('>ddB', ARGV[i])
  local oldest = tonumber(redis.call('LINDEX', key, 0))
  -- What lies a whole window ahead is from before the clock was set back.
  while oldest and (oldest <= now - window or oldest > now + window) do
    redis.call('LPOP', key)
    oldest = tonumber(redis.call('LINDEX', key, 0))
  end
  local used = oldest and redis.call('LLEN', key) or 0
  local admitted = used < limit
  if admitted and counts == 1 then
    redis.call('RPUSH', key, stamp)
    -- By the same reading of the clock: counted from when the call began, the key would end within the window.
    redis.call('PEXPIREAT', key, string.format('%.0f', math.ceil((now + window) / 1000)))
    used = used + 1
  end
  answer[i + 1] = struct.pack('>Bdd', admitted and 1 or 0, used, oldest or now)
end

return table.concat(answer)
