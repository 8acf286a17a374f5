-- OmniShop in small: what `kappa playground` runs. Its sources, views over them, one output topic.

-- Every sale in a store or in the web shop. One in two hundred comes twice; a few are seconds late.
CREATE FOREIGN TABLE sales (
  transaction_id text,
  event_time timestamptz,
  card_id text,
  customer_id text,
  store_id text,
  city text,
  channel text,
  product_id text,
  quantity integer,
  amount numeric(12,2),
  PRIMARY KEY (transaction_id)
) SERVER log OPTIONS (topic 'sales', format 'json', event_time 'event_time', out_of_orderness '5 seconds');

-- Every page view in the web shop, as Protobuf.
CREATE FOREIGN TABLE clicks (
  click_id text,
  event_time timestamptz,
  customer_id text,
  product_id text,
  page text,
  dwell_ms integer,
  ip_address text,
  PRIMARY KEY (click_id)
) SERVER log OPTIONS (topic 'clicks', format 'protobuf', proto 'events/clicks.proto',
                      message 'omnishop.playground.Click', event_time 'event_time', out_of_orderness '5 seconds');

-- Goods that came into a store or went out of it.
CREATE FOREIGN TABLE stock (
  movement_id text,
  event_time timestamptz,
  product_id text,
  store_id text,
  reason text,
  delta integer,
  PRIMARY KEY (movement_id)
) SERVER log OPTIONS (topic 'stock', format 'protobuf', proto 'events/stock.proto',
                      message 'omnishop.playground.StockMovement', event_time 'event_time', out_of_orderness '5 seconds');

-- What customers' accounts say.
CREATE FOREIGN TABLE customers (
  change_id text,
  event_time timestamptz,
  customer_id text,
  name text,
  email text,
  phone text,
  address text,
  city text,
  loyalty text,
  PRIMARY KEY (change_id)
) SERVER log OPTIONS (topic 'customers', format 'protobuf', proto 'events/customers.proto',
                      message 'omnishop.playground.CustomerChange', event_time 'event_time', out_of_orderness '5 seconds');

-- What customers agree to, and what no longer.
CREATE FOREIGN TABLE consents (
  change_id text,
  event_time timestamptz,
  customer_id text,
  purpose text,
  granted boolean,
  PRIMARY KEY (change_id)
) SERVER log OPTIONS (topic 'consents', format 'protobuf', proto 'events/consents.proto',
                      message 'omnishop.playground.ConsentChange', event_time 'event_time', out_of_orderness '5 seconds');

-- What is written about brands on social networks.
CREATE FOREIGN TABLE posts (
  post_id text,
  event_time timestamptz,
  author_id text,
  author_name text,
  network text,
  brand text,
  text text,
  PRIMARY KEY (post_id)
) SERVER log OPTIONS (topic 'posts', format 'protobuf', proto 'events/posts.proto',
                      message 'omnishop.playground.Post', event_time 'event_time', out_of_orderness '5 seconds');

-- What sensors in the stores count: people at the doors, goods taken off the shelves.
CREATE FOREIGN TABLE sensors (
  reading_id text,
  event_time timestamptz,
  store_id text,
  sensor_id text,
  kind text,
  count integer,
  PRIMARY KEY (reading_id)
) SERVER log OPTIONS (topic 'sensors', format 'protobuf', proto 'events/sensors.proto',
                      message 'omnishop.playground.SensorReading', event_time 'event_time', out_of_orderness '5 seconds');

-- What leaves the engine: suspicious cards.
CREATE FOREIGN TABLE fraud_alerts (
  card_id text,
  reason text,
  window_start timestamptz,
  sales bigint,
  amount numeric(38,2)
) SERVER log OPTIONS (topic 'fraud-alerts', format 'json');

-- Revenue of each store by the minute, shown at once and again with every sale.
CREATE MATERIALIZED VIEW sales_per_minute WITH (grace = '10 seconds', retention = '1 day') AS
SELECT window_start, store_id, count(*) AS sales, sum(amount) AS revenue
FROM tumble(sales, event_time, INTERVAL '1 minute') GROUP BY window_start, store_id;

-- The same for the whole shop, shown once, when the minute is over and its stragglers are in.
CREATE MATERIALIZED VIEW revenue_per_minute WITH (emit = 'final', grace = '10 seconds', retention = '1 day') AS
SELECT window_start, count(*) AS sales, sum(amount) AS revenue, avg(amount) AS average, max(amount) AS largest
FROM tumble(sales, event_time, INTERVAL '1 minute') GROUP BY window_start;

CREATE MATERIALIZED VIEW revenue_by_channel AS
SELECT channel, count(*) AS sales, sum(amount) AS revenue FROM sales GROUP BY channel;

CREATE MATERIALIZED VIEW card_totals_per_day WITH (grace = '1 hour', retention = '7 days') AS
SELECT card_id, window_start AS day, count(*) AS sales, sum(amount) AS spent
FROM tumble(sales, event_time, INTERVAL '1 day') GROUP BY card_id, window_start;

CREATE MATERIALIZED VIEW clicks_by_product AS
SELECT product_id, count(*) AS clicks, count(*) FILTER (WHERE page = 'checkout') AS checkouts, avg(dwell_ms) AS dwell_ms
FROM clicks GROUP BY product_id;

-- Sales of less than one euro: thieves try a card out with them. A sale that comes twice counts once.
CREATE MATERIALIZED VIEW micro_payments WITH (retention = '1 day') AS
SELECT transaction_id, event_time, card_id, amount FROM sales WHERE amount < 1.00;

-- Cards that do, within one minute, what their owners would not.
CREATE MATERIALIZED VIEW card_minutes WITH (emit = 'final', retention = '1 hour') AS
SELECT window_start, card_id, count(*) AS sales, sum(amount) AS amount,
       count(*) FILTER (WHERE amount < 1.00) AS micro_payments, count(DISTINCT city) AS cities
FROM tumble(sales, event_time, INTERVAL '1 minute') GROUP BY window_start, card_id;

CREATE MATERIALIZED VIEW suspicious_cards AS
SELECT window_start, card_id, sales, amount,
       CASE WHEN micro_payments >= 5 THEN 'card testing'
            WHEN cities >= 2 THEN 'impossible travel'
            ELSE 'burst of sales' END AS reason
FROM card_minutes
WHERE micro_payments >= 5 OR cities >= 2 OR sales >= 15;

INSERT INTO fraud_alerts
SELECT card_id,
       CASE WHEN micro_payments >= 5 THEN 'card testing'
            WHEN cities >= 2 THEN 'impossible travel'
            ELSE 'burst of sales' END,
       window_start, sales, amount
FROM card_minutes
WHERE micro_payments >= 5 OR cities >= 2 OR sales >= 15;

-- Each sale among those of its card before it, at the moment it came: what a fraud rule asks for.
CREATE MATERIALIZED VIEW card_velocity WITH (retention = '10 minutes') AS
SELECT transaction_id, event_time, card_id, amount,
       count(*) OVER last_minute AS sales_1m, sum(amount) OVER last_hour AS spent_1h,
       count(DISTINCT city) OVER last_hour AS cities_1h
FROM sales
WINDOW last_minute AS (PARTITION BY card_id ORDER BY event_time RANGE BETWEEN '1 minute' PRECEDING AND CURRENT ROW),
       last_hour AS (PARTITION BY card_id ORDER BY event_time RANGE BETWEEN '1 hour' PRECEDING AND CURRENT ROW);

-- What each product earns in each store, and the three of a store that earn most.
CREATE MATERIALIZED VIEW product_revenue AS
SELECT store_id, product_id, sum(amount) AS revenue FROM sales WHERE channel = 'store' GROUP BY store_id, product_id;

CREATE MATERIALIZED VIEW best_sellers AS
SELECT store_id, place, product_id, revenue
FROM (SELECT store_id, product_id, revenue,
             row_number() OVER (PARTITION BY store_id ORDER BY revenue DESC) AS place
      FROM product_revenue) AS ranked
WHERE place <= 3;

-- A customer's clicks in the web shop, as long as no half minute passes between them.
CREATE MATERIALIZED VIEW visits WITH (emit = 'final', retention = '10 minutes') AS
SELECT customer_id, window_start, window_end, count(*) AS pages, count(DISTINCT product_id) AS products
FROM session(clicks, event_time, INTERVAL '30 seconds') GROUP BY customer_id, window_start, window_end;

-- Stock movements, each of them once.
CREATE MATERIALIZED VIEW stock_movements WITH (retention = '1 day') AS
SELECT movement_id, event_time, product_id, store_id, reason, delta FROM stock;

CREATE MATERIALIZED VIEW stock_levels AS
SELECT product_id, store_id, sum(delta) AS on_hand, count(*) AS movements, max(event_time) AS last_moved
FROM stock_movements GROUP BY product_id, store_id;

-- Each customer's account, as the last change that came in has it.
CREATE MATERIALIZED VIEW customer_accounts WITH (key = 'customer_id') AS
SELECT customer_id, city, loyalty, event_time AS changed FROM customers;

-- Sales by the loyalty that the customer had when the sale came.
CREATE MATERIALIZED VIEW revenue_by_loyalty AS
SELECT customer.loyalty, count(*) AS sales, sum(sale.amount) AS revenue
FROM sales AS sale LEFT JOIN customer_accounts AS customer ON customer.customer_id = sale.customer_id
GROUP BY customer.loyalty;

-- When each customer last agreed to a purpose, and last withdrew. What comes late or twice changes nothing.
CREATE MATERIALIZED VIEW consent_times AS
SELECT customer_id, purpose, max(event_time) FILTER (WHERE granted) AS granted_at,
       max(event_time) FILTER (WHERE NOT granted) AS withdrawn_at
FROM consents GROUP BY customer_id, purpose;

-- What counts now. Of two changes at the same time the withdrawal wins.
CREATE MATERIALIZED VIEW consents_now WITH (key = 'customer_id, purpose') AS
SELECT customer_id, purpose,
       granted_at IS NOT NULL AND (withdrawn_at IS NULL OR granted_at > withdrawn_at) AS granted
FROM consent_times;

-- Posts, each of them once, without who wrote them.
CREATE MATERIALIZED VIEW brand_posts WITH (retention = '1 hour') AS
SELECT post_id, event_time, network, brand, text FROM posts;

CREATE MATERIALIZED VIEW posts_per_minute WITH (grace = '10 seconds', retention = '1 hour') AS
SELECT window_start, brand, count(*) AS posts
FROM tumble(brand_posts, event_time, INTERVAL '1 minute') GROUP BY window_start, brand;

-- People who came in, each reading once.
CREATE MATERIALIZED VIEW door_readings WITH (retention = '1 hour') AS
SELECT reading_id, event_time, store_id, count FROM sensors WHERE kind = 'footfall';

CREATE MATERIALIZED VIEW footfall_per_minute WITH (grace = '10 seconds', retention = '1 hour') AS
SELECT window_start, store_id, sum(count) AS visitors
FROM tumble(door_readings, event_time, INTERVAL '1 minute') GROUP BY window_start, store_id;
