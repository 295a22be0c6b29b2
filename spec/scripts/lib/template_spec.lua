-- lib/template.lua: what is filled in stays text.

package.path = "./scripts/?.lua;" .. package.path

local template = require "lib.template"

describe("lib.template", function()
  it("fills in each place, and leaves those that it knows nothing of", function()
    assert.are.equal("Ada, Ada; {other} {X}", template.fill("{name}, {name}; {other} {X}", { name = "Ada" }))
  end)

  it("takes values as they are", function()
    assert.are.equal("%1 {name} \\", template.fill("{name}", { name = "%1 {name} \\" }))
  end)

  it("escapes values for HTML, and not the template", function()
    assert.are.equal("<b>&lt;i&gt; &amp; &quot;x&quot; &#39;y&#39;</b> {other}",
      template.fill_html("<b>{name}</b> {other}", { name = [[<i> & "x" 'y']] }))
  end)
end)
