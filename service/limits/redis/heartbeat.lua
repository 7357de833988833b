-- Says that a process lives, and counts those that do, on the server's clock.
--
-- KEYS[1]: a sorted set of processes by when they were last heard, in milliseconds.
-- ARGV: this one's name, after how many milliseconds of silence a process is gone, and a moment (milliseconds).
-- Returns the time in microseconds, how many names stand before this one's, how many there are, how many were heard
-- since that moment, and whether this one's is new.

local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
-- First of all: a server that has no memory left refuses what takes some, but only as a script's first writing.
local new = redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[2])

local names = redis.call('ZRANGE', KEYS[1], 0, -1)
local rank = 0
for _, name in ipairs(names) do
  if name < ARGV[1] then
    rank = rank + 1
  end
end
return {clock[1] * 1000000 + clock[2], rank, #names, redis.call('ZCOUNT', KEYS[1], ARGV[3], '+inf'), new}
