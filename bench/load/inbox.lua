-- A provider looks at its inbox: the newest page, and pages further back.
dofile(os.getenv("LOAD_DIRECTORY") .. "/common.lua")

local cursors = ids_of_file()

function request()
  local cursor = cursors[math.random(#cursors)]
  if cursor == "-" then return ask("GET", "/api/v1/provider/assignments?limit=50") end
  return ask("GET", "/api/v1/provider/assignments?limit=50&cursor=" .. cursor)
end
