-- SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
--
-- churn.lua: what the lua program of the demo runs.  Binary trees built and dropped (short-lived tables of one size),
-- and text work of the kind that scripts do: split, count words, build lines (strings of all sizes, tables that grow).
-- Deterministic: the same output with every allocator.  Usage: lua churn.lua [rounds]

local rounds = tonumber(arg and arg[1]) or 4

local function bottom_up(depth)
  if depth == 0 then return {} end
  return { bottom_up(depth - 1), bottom_up(depth - 1) }
end

local function count(tree)
  if not tree[1] then return 1 end
  return 1 + count(tree[1]) + count(tree[2])
end

local state = 42
local function random(n)
  state = (state * 1103515245 + 12345) & 0x7fffffff
  return (state >> 8) % n + 1
end

local syllables = { "ka", "ro", "mi", "ten", "sul", "ve", "dor", "na", "pri", "lo", "gan", "eth" }

local function sentence(words)
  local out = {}
  for i = 1, words do
    local word = ""
    for _ = 1, random(4) do word = word .. syllables[random(#syllables)] end
    out[i] = word
  end
  return table.concat(out, " ")
end

local function text_round(lines)
  local text = {}
  for i = 1, lines do text[i] = sentence(12) end
  local seen, order = {}, {}
  for _, line in ipairs(text) do
    for word in line:gmatch("%a+") do
      if not seen[word] then
        seen[word] = 0
        order[#order + 1] = word
      end
      seen[word] = seen[word] + 1
    end
  end
  table.sort(order, function(a, b)
    if seen[a] ~= seen[b] then return seen[a] > seen[b] end
    return a < b
  end)
  local report = {}
  for i = 1, 10 do report[i] = order[i] .. "=" .. seen[order[i]] end
  local upper = 0
  for _, line in ipairs(text) do upper = upper + #line:gsub("(%a)(%a*)", function(a, b) return a:upper() .. b end) end
  return #order .. " words, " .. upper .. " characters: " .. table.concat(report, " ")
end

local long_lived = bottom_up(15)
for round = 1, rounds do
  local nodes = 0
  for depth = 4, 14, 2 do
    for _ = 1, 1 << (14 - depth) do nodes = nodes + count(bottom_up(depth)) end
  end
  print(round, nodes, text_round(8000))
end
print("long-lived", count(long_lived))
