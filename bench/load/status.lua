-- A client looks how far a lead has come: any of those that there are.
dofile(os.getenv("LOAD_DIRECTORY") .. "/common.lua")

local ids = ids_of_file()

function request()
  return ask("GET", "/api/v1/admin/leads/" .. ids[math.random(#ids)] .. "/distribution-status")
end
