-- Orders, watched by the minute: an example to make your own. README.md leads through it.

-- What comes in: an order a record, as JSON. A record that does not fit, say without an order_id, goes
-- to my_product-orders.dead-letters with the reason; an order that comes after its minute has closed, to
-- VIEW.late.
CREATE FOREIGN TABLE orders (
  order_id text NOT NULL,
  event_time timestamptz NOT NULL,
  customer_id text,
  amount numeric(12,2)
) SERVER log OPTIONS (topic 'my_product-orders', format 'json', event_time 'event_time', out_of_orderness '5 seconds');

-- What goes out.
CREATE FOREIGN TABLE alerts (
  customer_id text,
  window_start timestamptz,
  orders bigint,
  spent numeric(38,2)
) SERVER log OPTIONS (topic 'my_product-alerts', format 'json');

-- What each customer orders, by the minute: shown at once, and again with every order.
CREATE MATERIALIZED VIEW orders_per_minute WITH (grace = '10 seconds', retention = '7 days') AS
SELECT window_start, customer_id, count(*) AS orders, sum(amount) AS spent
FROM tumble(orders, event_time, INTERVAL '1 minute') GROUP BY window_start, customer_id;

-- Minutes in which a customer orders remarkably often: shown once, when the minute is over and its
-- stragglers are in.
CREATE MATERIALIZED VIEW busy_minutes WITH (emit = 'final', grace = '10 seconds', retention = '7 days') AS
SELECT window_start, customer_id, count(*) AS orders, sum(amount) AS spent
FROM tumble(orders, event_time, INTERVAL '1 minute') GROUP BY window_start, customer_id
HAVING count(*) >= 3;

-- Each of them leaves once, whatever is restarted or replayed.
INSERT INTO alerts SELECT customer_id, window_start, orders, spent FROM busy_minutes;
