-- Single values: true and false, null, anything, one of a list; and what stands elsewhere.

local endless = require "mooncrew.schema.endless"

local M = {}

--- Checks that x is one of node.allowed, which is made by schema/values.lua.
function M.emit_allowed(e, node, x, where)
  local allowed = node.allowed
  e:line("if not %s[%s] and not is_allowed(%s, %s) then", e:constant(allowed.set), x, e:constant(allowed), x)
  e:mismatch(where, "%q", (#allowed.values == 1 and "expected " or "expected one of ") .. allowed.listed)
  e:line("end")
end

M.kinds = {
  boolean = {
    options = {},
    emit = function(e, _, x, where)
      e:line('if type(%s) ~= "boolean" then', x)
      e:mismatch(where, '"expected boolean, got " .. kind_of(%s)', x)
      e:line("end")
    end,
  },
  null = {
    options = {},
    takes_null = true,
    emit = function(e, _, x, where)
      e:line("if %s ~= null then", x)
      e:mismatch(where, '"expected null, got " .. kind_of(%s)', x)
      e:line("end")
    end,
  },
  any = { options = {}, takes_null = true, emit = function() end },
  enum = { options = {}, takes_null = true, emit = M.emit_allowed },
  const = { options = {}, takes_null = true, emit = M.emit_allowed },
  ref = {
    options = {},
    takes_null = true,
    body = function(e, node)
      if endless.is(node, e.looked_at) then
        error("schema.ref: the schema leads back to itself without going into the value", 0)
      end
      e:call(e:of(node:target()), "v", '""')
      e:line("return v")
    end,
  },
}

return M
