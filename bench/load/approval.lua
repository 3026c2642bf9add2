-- Leads that wait are approved, one after the other; the worker distributes them behind.
dofile(os.getenv("LOAD_DIRECTORY") .. "/common.lua")

local ids = ids_of_file()
-- Which part of the list this load begins at, so that no lead is approved twice.
local next_one = math.floor(tonumber(os.getenv("LOAD_PART")) * #ids)

function request()
  next_one = next_one + 1
  return ask("POST", "/api/v1/admin/leads/" .. ids[(next_one - 1) % #ids + 1] .. "/approve", "{}")
end
