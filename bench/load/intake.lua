-- Leads come in, each another.
dofile(os.getenv("LOAD_DIRECTORY") .. "/common.lua")

function request()
  local body = string.format(
    '{"niche": "%s", "attributes": {"age": %d, "job": "job-%d", "region": "region-%d"}, ' ..
    '"contact_email": "load-%d-%d@example.com"}',
    os.getenv("LOAD_NICHE"), math.random(18, 77), math.random(0, 3), math.random(0, 19),
    math.random(1, 999999999), math.random(1, 999999999))
  return ask("POST", "/api/v1/leads", body)
end
