-- SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
--
-- table.sql: what sqlite3 does in the benchmark: a table filled, indexed, joined, grouped, changed and emptied in memory.
-- @orders says how many rows.  Values come from multiplications modulo primes, so that they are scattered and the same in every run.
PRAGMA journal_mode = memory;

CREATE TABLE customer (id INTEGER PRIMARY KEY, name TEXT, city TEXT);
CREATE TABLE orders (id INTEGER PRIMARY KEY, customer INTEGER, city TEXT, day INTEGER, cents INTEGER, note TEXT);

WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)
INSERT INTO customer SELECT i, printf('%x-%x', i * 48271 % 65521, i * 69621 % 251), 'city ' || (i * 7919 % 211) FROM n;

CREATE INDEX orders_city ON orders (city, day);
CREATE INDEX orders_customer ON orders (customer);

BEGIN;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < @orders)
INSERT INTO orders
SELECT i, 1 + i * 48271 % 10000, 'city ' || (i * 69621 % 211), i * 7919 % 3653, i * 31337 % 99991,
       substr(hex(i * 2654435761 % 4294967296) || ' please leave it at the door of number ' || i, 1, 8 + i * 17 % 48)
FROM n;
COMMIT;
CREATE INDEX orders_note ON orders (note);

SELECT city, count(*), sum(cents), min(note), max(note) FROM orders GROUP BY city ORDER BY sum(cents) DESC LIMIT 20;

SELECT c.city, o.city, count(*), sum(o.cents) FROM customer c JOIN orders o ON o.customer = c.id
WHERE o.day BETWEEN 1000 AND 1800 GROUP BY 1, 2 ORDER BY 4 DESC, 1, 2 LIMIT 20;

SELECT length(group_concat(note, '|')), count(DISTINCT substr(note, 1, 4)) FROM orders;

SELECT day / 365, group_concat(DISTINCT upper(substr(city, 6))) FROM orders WHERE cents < 150 GROUP BY 1 ORDER BY 1;

SELECT sum(length(json_object('id', id, 'city', city, 'note', note, 'lines', json_array(day, cents)))) FROM orders;

UPDATE orders SET note = replace(note, 'door', 'gate') || '!' WHERE id % 3 = 0;
DELETE FROM orders WHERE day % 7 = 2;

SELECT count(*), sum(length(note)), sum(cents), max(note) FROM orders;
SELECT sum(total), max(ranked) FROM
 (SELECT sum(cents) OVER (PARTITION BY city ORDER BY day, id) AS total, rank() OVER (PARTITION BY city ORDER BY cents) AS ranked
  FROM orders);
PRAGMA integrity_check;
