-- lib/hmac.lua against the test cases of RFC 4231.

package.path = "./scripts/?.lua;" .. package.path

local hmac = require "lib.hmac"

describe("lib.hmac", function()
  it("computes what RFC 4231 says", function()
    for _, case in ipairs {
      { ("\11"):rep(20), "Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7" },
      { "Jefe", "what do ya want for nothing?", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843" },
      { ("\170"):rep(20), ("\221"):rep(50), "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe" },
      { ("\170"):rep(131), "Test Using Larger Than Block-Size Key - Hash Key First",
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54" },
    } do
      assert.are.equal(case[3], hmac.sha256(case[1], case[2]))
    end
  end)

  it("takes any bytes, and none", function()
    assert.are.equal("b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad", hmac.sha256("", ""))
    assert.are_not.equal(hmac.sha256("k", "a\0b"), hmac.sha256("k", "a\0c"))
  end)
end)
