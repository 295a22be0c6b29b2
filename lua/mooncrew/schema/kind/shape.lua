-- What schema.from_json_schema makes: any keywords together, each with the meaning of the standard. Keywords for texts
-- say nothing of numbers; what is absent is not null; nothing is filled in.
--
-- The value stays what it is, with two exceptions: the format int64 gives int64_t, and an empty table that must be an
-- array is marked as one. Containers are copied for that only when they are not ours, and only when there is need.

local choices = require "mooncrew.schema.kind.choices"
local containers = require "mooncrew.schema.kind.shape.containers"
local keywords = require "mooncrew.schema.kind.shape.keywords"
local scalars = require "mooncrew.schema.kind.shape.scalars"
local types = require "mooncrew.schema.kind.shape.types"
local unevaluated = require "mooncrew.schema.kind.shape.unevaluated"

local M = {}

local HERE = '""'

local CHOICES = { { "any_of", choices.emit_any }, { "one_of", choices.emit_one }, { "negated", choices.emit_not } }

local function emit_in_place(e, node)
  if node.ref then
    e:line("do")
    e:call(e:of(node.ref), "v", HERE)
    e:line("end")
  end
  choices.emit_all(e, node.all_of or {}, "v", HERE)
  for _, choice in ipairs(CHOICES) do
    local name, emit = choice[1], choice[2]
    if node[name] then
      e:line("do")
      emit(e, node[name], "v", HERE)
      e:line("end")
    end
  end
  if node.condition then
    choices.emit_when(e, node.condition, node.yes, node.no, "v", HERE)
  end
end

local function emit_types(e, node)
  if node.never then
    e:leave(HERE, '"nothing fits here; it must be absent"')
  elseif node.types then
    e:line("if not (%s) then", types.test(node.types, "v"))
    e:leave(HERE, types.wrong(node, "v"))
    e:line("end")
  end
end

local function mixed_body(e, node)
  types.emit_locals(e, "v")
  emit_types(e, node)
  if not node.never then
    scalars.emit(e, node, "v", HERE)
    containers.emit(e, node)
    emit_in_place(e, node)
    unevaluated.emit(e, node)
  end
  e:line("return v")
end

-- ---- one kind of container, in the quickest way ----

local function object_body(e, node)
  e:line("if type(v) ~= 'table' or v[1] ~= nil or getmetatable(v) == array_metatable then")
  e:leave(HERE, '"expected object, got " .. kind_of(v)')
  e:line("end")
  containers.object_part(e, node)
  e:line("return v")
end

local function array_body(e, node)
  e:line("if type(v) ~= 'table' then")
  e:leave(HERE, '"expected array, got " .. kind_of(v)')
  e:line("end")
  containers.list_part(e, node)
  e:line("return v")
end

local ALONE = { object = object_body, array = array_body }

local function body(e, node)
  local plain = not node.never and not node.allowed and not node.allowed_once
    and not keywords.has_any(node, keywords.IN_PLACE)
  local alone = plain and ALONE[types.only(node)]
  return (alone or mixed_body)(e, node)
end

M.kinds = {
  shape = { options = {}, takes_null = true, is_flat = scalars.is_flat, emit = scalars.emit_flat, body = body },
}

return M
