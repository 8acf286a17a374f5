-- OmniShop in small: what `kappa playground` runs. Two sources, views over them, one output topic.

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
  PRIMARY KEY (click_id)
) SERVER log OPTIONS (topic 'clicks', format 'protobuf', proto 'events/clicks.proto',
                      message 'omnishop.playground.Click', event_time 'event_time', out_of_orderness '5 seconds');

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
