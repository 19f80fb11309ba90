-- What ../k6/rest.ts does, for wrk with one connection a thread: a book is created, read, changed, found and deleted, among requests that must
-- be refused, and each answer is checked. Arguments: the ms between an answer and the next request.

local threads = {}

function setup(thread)
   table.insert(threads, thread)
   thread:set("number", #threads)
   thread:set("wrong", 0)
   thread:set("rounds", 0)
end

local pause = 0
local step, round = 1, 0
local shown = false
local isbn, book, changed

local function make_isbn(n)
   local digits, sum = string.format("978%03d%06d", number, n % 1000000), 0
   for i = 1, 12 do
      sum = sum + tonumber(digits:sub(i, i)) * (i % 2 == 1 and 1 or 3)
   end
   return digits .. (10 - sum % 10) % 10
end

local function text_of(title, year)
   return string.format('{"isbn":"%s","title":"%s","author":"Author %s","year":%d}', isbn, title, isbn, year)
end

local function begin_round()
   isbn = make_isbn(round)
   book, changed = text_of("A Book", 2000), text_of("Another Title", 2001)
   round = round + 1
end

local function has(text)
   return function(body) return body:find(text, 1, true) ~= nil end
end

local function is(text)
   return function(body) return body == text end
end

local json, problem = "application/json", "application/problem+json"

-- Method, path, content; status, type, a check of the content.
local steps = {
   function() return "POST", "/books", book, 201, json, is(book) end,
   function() return "GET", "/books/" .. isbn, nil, 200, json, is(book) end,
   function() return "POST", "/books", book, 409, problem, has('"status":409') end,
   function() return "PUT", "/books/" .. isbn, changed, 200, json, is(changed) end,
   function() return "GET", "/books?author=Author%20" .. isbn, nil, 200, json, is("[" .. changed .. "]") end,
   function() return "POST", "/books", '{"isbn":"1","title":""}', 400, problem, has('"title":["') end,
   function() return "POST", "/books", '{"isbn":', 400, problem, has('"status":400') end,
   function() return "PATCH", "/books/" .. isbn, nil, 405, problem, has('"status":405') end,
   function() return "DELETE", "/books/" .. isbn, nil, 204, nil, is("") end,
   function() return "GET", "/books/" .. isbn, nil, 404, problem, has('"status":404') end,
}

function init(arguments)
   pause = tonumber(arguments[1]) or 0
   begin_round()
end

function delay()
   return pause
end

function request()
   local method, path, content = steps[step]()
   return wrk.format(method, path, content and {["Content-Type"] = json} or {}, content)
end

function response(status, headers, body)
   local method, path, _, expected, type, holds = steps[step]()
   local got = headers["Content-Type"]
   if status ~= expected or (got and got:match("^[^;]*")) ~= type or not holds(body) then
      wrong = wrong + 1
      if not shown then
         shown = true
         io.stderr:write(string.format("%s %s: %d (%s), not %d: %s\n", method, path, status, tostring(got), expected, body))
      end
   end
   step = step + 1
   if step > #steps then
      step = 1
      rounds = rounds + 1
      begin_round()
   end
end

function done(summary, latency)
   local bad, whole = 0, 0
   for _, thread in ipairs(threads) do
      bad = bad + thread:get("wrong")
      whole = whole + thread:get("rounds")
   end
   local errors = summary.errors
   print(string.format("iterations %d iterations", whole))
   print(string.format("rate %.1f iterations/s", whole / (summary.duration / 1e6)))
   print(string.format("p50 %.3f ms", latency:percentile(50) / 1000))
   print(string.format("p99 %.3f ms", latency:percentile(99) / 1000))
   print(string.format("wrong %d answers", bad))
   print(string.format("failed %d requests", errors.connect + errors.read + errors.write + errors.timeout))
end
