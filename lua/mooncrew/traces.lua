-- How LuaJIT compiles in a process that uses this library.
--
-- Debian 12's LuaJIT (2.1.0-beta3) goes on compiling behind a call of a C function, with what it calls a stitched
-- trace. Behind the end of a loop over `next` or `pairs` this goes wrong now and then: the next table is walked with
-- values of another one, so that JSON loses its keys, and code may crash. Releases after the beta do it right. A trace
-- that is to be this long is never made.

local LONGER_THAN_ANY = 2 ^ 30

if jit and jit.version:find("beta", 1, true) then
  require("jit.opt").start("minstitch=" .. ("%d"):format(LONGER_THAN_ANY))
end
