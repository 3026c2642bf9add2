-- An operator leafs through all leads, on any page of them.
dofile(os.getenv("LOAD_DIRECTORY") .. "/common.lua")

local cursors = ids_of_file()

function request()
  local cursor = cursors[math.random(#cursors)]
  if cursor == "-" then return ask("GET", "/api/v1/admin/leads?limit=50") end
  return ask("GET", "/api/v1/admin/leads?limit=50&cursor=" .. cursor)
end
