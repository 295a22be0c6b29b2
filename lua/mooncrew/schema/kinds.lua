-- The kinds of schema, by name: which options each takes, and the Lua source that checks a value.
--
-- A kind has emit(e, node, x, where), which adds source to the emitter e: in that source the local variable named x
-- holds the value, which is there; the source may assign to it, and says by e:fail(where, message) that it does not
-- fit. `where` is a Lua expression: the steps from the enclosing function's value to this one. Or it has body(e, node),
-- which writes a function of its own, whose value is v. `takes_null`: null is a value like another, and not absence.

local M = {}

for _, family in ipairs {
  require "mooncrew.schema.kind.text", require "mooncrew.schema.kind.numbers", require "mooncrew.schema.kind.values",
  require "mooncrew.schema.kind.lists", require "mooncrew.schema.kind.objects",
  require "mooncrew.schema.kind.choices", require "mooncrew.schema.kind.shape",
} do
  for name, kind in pairs(family.kinds) do
    M[name] = kind
  end
end

return M
