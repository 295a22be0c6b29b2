-- JSON payloads that go wrong easily, and what a handler that gives back { got = payload } makes of each: `result` is
-- the JSON text that then lies in Redis; `refusal` a pattern of the reason with which the task is archived.
local deep = ("["):rep(1000) .. ("]"):rep(1000)

return {
  { name = "microseconds", type = "echo", payload = '{"n":1700000000123456}',
    result = '{"got":{"n":1700000000123456}}' },
  { name = "2^53 - 1", type = "echo", payload = '{"n":9007199254740991}', result = '{"got":{"n":9007199254740991}}' },
  { name = "-(2^53 - 1)", type = "echo", payload = '[-9007199254740991]', result = '{"got":[-9007199254740991]}' },
  { name = "empty array", type = "echo", payload = "[]", result = '{"got":[]}' },
  { name = "empty array inside", type = "echo", payload = '{"a":[]}', result = '{"got":{"a":[]}}' },
  { name = "empty object", type = "echo", payload = "{}", result = '{"got":{}}' },
  { name = "a tenth", type = "echo", payload = "0.1", result = '{"got":0.1}' },
  { name = "minus zero", type = "echo", payload = "[-0]", result = '{"got":[-0]}' },
  { name = "text beyond the first plane", type = "echo", payload = '["\\ud83d\\ude00"]',
    result = '{"got":["\240\159\152\128"]}' },
  { name = "keys in any order", type = "echo", payload = '{"b":1,"a":2,"c":3}',
    result = '{"got":{"a":2,"b":1,"c":3}}' },
  { name = "int64 by schema", type = "typed", payload = '{"n":9007199254740993}', result = '{"got":9007199254740993}' },
  { name = "2^53 + 1", type = "echo", payload = '{"a":{"n":9007199254740993}}', refusal = "payload%.a%.n" },
  { name = "2^53 + 1 in an array", type = "echo", payload = '[1,9007199254740993]', refusal = "payload%[" },
  { name = "duplicate key", type = "echo", payload = '{"a":1,"a":2}', refusal = "payload%.a" },
  { name = "lone surrogate", type = "echo", payload = '["\\ud800"]', refusal = "JSON" },
  { name = "NaN", type = "echo", payload = '{"n":NaN}', refusal = "JSON" },
  { name = "Infinity", type = "echo", payload = "[Infinity]", refusal = "JSON" },
  { name = "hexadecimal", type = "echo", payload = '{"n":0x10}', refusal = "JSON" },
  { name = "1,000 levels", type = "echo", payload = deep, refusal = "nested deeper" },
  { name = "something after the end", type = "echo", payload = "{} {}", refusal = "JSON" },
}
