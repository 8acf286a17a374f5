-- Sales & Fraud Events: what OmniShop sells, and which payments are likely fraud.
--
--   transactions ──► payments ────────┬──► features ──► model ──► rules ──► decisions ──► fraud-alerts
--                └─► rejected_…       ▼        ▲                    ▲            └──► latest_by_card, …
--   fraud-reports ─► reported_frauds ─► terminal_risk               │
--   fraud-rules ────────────────────────────────────────────────────┘
--   sale-lines ────► sales_by_minute, _hour, _day, product_sales_by_day ──► top_products_by_day
--
-- All of it is computed record by record, in the order of the log: what a decision says is what was known
-- when the payment came, and a replay gives the same decision again.

-- ---- events --------------------------------------------------------------------------------------

-- A card payment, in a shop or in the web store: asked for, and answered by the bank. A terminal is where it was
-- made: a till, or the web store's checkout of one country.
CREATE FOREIGN TABLE transactions (
  transaction_id text,
  event_time timestamptz OPTIONS (unit 'ms') NOT NULL,  -- RFC 3339, or milliseconds since 1970
  card_id text NOT NULL,
  customer_id text,
  device_id text,
  ip_address text,
  terminal_id text,
  amount numeric(12,2) NOT NULL,  -- as settled, in euro
  currency text,                  -- that the customer paid in; euro if it is missing
  country text,
  channel text,                   -- 'pos' or 'web'
  status text,                    -- the bank's answer: 'approved' or 'declined'; approved if it is missing
  latitude double precision,
  longitude double precision,
  PRIMARY KEY (transaction_id)
) SERVER log OPTIONS (topic 'transactions', format 'json', event_time 'event_time', out_of_orderness '5 seconds');

-- A payment that turned out to be fraud: the cardholder or the bank says so, days later.
CREATE FOREIGN TABLE fraud_reports (
  transaction_id text,
  reported_at timestamptz OPTIONS (unit 'ms') NOT NULL,
  PRIMARY KEY (transaction_id)
) SERVER log OPTIONS (topic 'fraud-reports', format 'json', event_time 'reported_at', out_of_orderness '5 seconds');

-- Rules that analysts write while the product runs: a condition over the columns of fraud_features.
CREATE FOREIGN TABLE fraud_rules (
  rule_id text,
  condition text,
  reason_code text,
  weight numeric(4,2),
  valid_from timestamptz,
  valid_until timestamptz,
  PRIMARY KEY (rule_id)
) SERVER log OPTIONS (topic 'fraud-rules', format 'json', mode 'upsert');

-- A line of an invoice. What comes back is a line with a negative quantity.
CREATE FOREIGN TABLE sale_lines (
  invoice_no text NOT NULL,
  event_time timestamptz OPTIONS (unit 'ms') NOT NULL,
  stock_code text NOT NULL,
  description text,
  quantity integer NOT NULL,
  unit_price numeric(12,3) NOT NULL,
  customer_id text,
  country text,
  store_id text,
  category text
) SERVER log OPTIONS (topic 'sale-lines', format 'json', event_time 'event_time', out_of_orderness '5 seconds');

-- What leaves: payments that are not simply approved.
CREATE FOREIGN TABLE fraud_alerts (
  transaction_id text,
  event_time timestamptz,
  card_id text,
  customer_id text,
  amount numeric(12,2),
  score double precision,
  decision text,
  reason_codes text,
  rule_ids text,
  model_version text,
  PRIMARY KEY (transaction_id)
) SERVER log OPTIONS (topic 'fraud-alerts', format 'json');

-- ---- payments ------------------------------------------------------------------------------------

-- Each payment once: of a transaction_id that comes again the first one counts.
CREATE MATERIALIZED VIEW payments WITH (retention = '45 days') AS
SELECT transaction_id, event_time, card_id, customer_id, device_id, ip_address, terminal_id, amount,
       COALESCE(currency, 'EUR') AS currency, country, channel,
       COALESCE(status, 'approved') AS status, latitude, longitude
FROM transactions
WHERE amount >= 0 AND COALESCE(currency, 'EUR') IN ('EUR', 'GBP', 'USD', 'CHF', 'SEK', 'DKK', 'NOK', 'PLN', 'CZK');

-- The others, and why.
CREATE MATERIALIZED VIEW rejected_transactions WITH (retention = '45 days') AS
SELECT transaction_id, event_time,
       CASE WHEN amount < 0 THEN 'the amount ' || amount || ' is negative'
            ELSE 'the currency "' || currency || '" is not one that OmniShop takes' END AS reason
FROM transactions
WHERE amount < 0 OR COALESCE(currency, 'EUR') NOT IN ('EUR', 'GBP', 'USD', 'CHF', 'SEK', 'DKK', 'NOK', 'PLN', 'CZK');

-- Reports, with where the payment was made.
CREATE MATERIALIZED VIEW reported_frauds WITH (retention = '45 days') AS
SELECT report.transaction_id, report.reported_at, payment.terminal_id, payment.card_id
FROM fraud_reports AS report JOIN payments AS payment ON payment.transaction_id = report.transaction_id;

-- ---- features ------------------------------------------------------------------------------------

-- What share of a terminal's payments was reported. Reports take a week, so payments are counted over windows that
-- end a week ago, and reports over windows that end now.
CREATE MATERIALIZED VIEW terminal_risk WITH (retention = '7 days') AS
WITH at_terminals AS (
  SELECT transaction_id, event_time, terminal_id FROM payments
  UNION ALL
  SELECT transaction_id, reported_at, terminal_id FROM reported_frauds
)
SELECT transaction_id, branch, event_time,  -- branch 0 is a payment, 1 a report
       count(*) FILTER (WHERE branch = 0) OVER past_1d AS payments_1d, count(*) FILTER (WHERE branch = 1) OVER last_1d AS frauds_1d,
       count(*) FILTER (WHERE branch = 0) OVER past_7d AS payments_7d, count(*) FILTER (WHERE branch = 1) OVER last_7d AS frauds_7d,
       count(*) FILTER (WHERE branch = 0) OVER past_30d AS payments_30d, count(*) FILTER (WHERE branch = 1) OVER last_30d AS frauds_30d
FROM at_terminals
WINDOW past_1d AS (PARTITION BY terminal_id ORDER BY event_time RANGE BETWEEN INTERVAL '8 days' - INTERVAL '1 microsecond' PRECEDING AND '7 days' PRECEDING),
       last_1d AS (PARTITION BY terminal_id ORDER BY event_time RANGE INTERVAL '1 day' - INTERVAL '1 microsecond' PRECEDING),
       past_7d AS (PARTITION BY terminal_id ORDER BY event_time RANGE BETWEEN INTERVAL '14 days' - INTERVAL '1 microsecond' PRECEDING AND '7 days' PRECEDING),
       last_7d AS (PARTITION BY terminal_id ORDER BY event_time RANGE INTERVAL '7 days' - INTERVAL '1 microsecond' PRECEDING),
       past_30d AS (PARTITION BY terminal_id ORDER BY event_time RANGE BETWEEN INTERVAL '37 days' - INTERVAL '1 microsecond' PRECEDING AND '7 days' PRECEDING),
       last_30d AS (PARTITION BY terminal_id ORDER BY event_time RANGE INTERVAL '30 days' - INTERVAL '1 microsecond' PRECEDING);

-- Each payment among those of its card, customer, device, address and terminal, at the moment it came. Windows are
-- (t - w, t] and hold the payment itself. What has no device, address or terminal stands for itself alone, and a card
-- without a customer for its customer.
CREATE MATERIALIZED VIEW decisions WITH (retention = '30 days') AS
WITH in_context AS (
  SELECT payment.transaction_id, payment.event_time, payment.card_id, payment.customer_id, payment.device_id,
         payment.ip_address, payment.terminal_id, payment.amount, payment.currency, payment.country, payment.channel,
         payment.status,
         EXTRACT(isodow FROM payment.event_time) >= 6 AS is_weekend,
         EXTRACT(hour FROM payment.event_time) <= 6 AS is_night,
         is_late() OVER card_30d AS is_late,

         -- card
         count(*) OVER card_1m AS card_count_1m, sum(payment.amount) OVER card_1m AS card_sum_1m, avg(payment.amount) OVER card_1m AS card_mean_1m, count(DISTINCT payment.terminal_id) OVER card_1m AS card_terminals_1m,
         count(*) OVER card_5m AS card_count_5m, sum(payment.amount) OVER card_5m AS card_sum_5m, avg(payment.amount) OVER card_5m AS card_mean_5m, count(DISTINCT payment.terminal_id) OVER card_5m AS card_terminals_5m,
         count(*) OVER card_1h AS card_count_1h, sum(payment.amount) OVER card_1h AS card_sum_1h, avg(payment.amount) OVER card_1h AS card_mean_1h, count(DISTINCT payment.terminal_id) OVER card_1h AS card_terminals_1h,
         count(*) OVER card_24h AS card_count_24h, sum(payment.amount) OVER card_24h AS card_sum_24h, avg(payment.amount) OVER card_24h AS card_mean_24h, count(DISTINCT payment.terminal_id) OVER card_24h AS card_terminals_24h,
         count(*) OVER card_7d AS card_count_7d, sum(payment.amount) OVER card_7d AS card_sum_7d, avg(payment.amount) OVER card_7d AS card_mean_7d, count(DISTINCT payment.terminal_id) OVER card_7d AS card_terminals_7d,
         count(*) OVER card_30d AS card_count_30d, sum(payment.amount) OVER card_30d AS card_sum_30d, avg(payment.amount) OVER card_30d AS card_mean_30d, count(DISTINCT payment.terminal_id) OVER card_30d AS card_terminals_30d,
         -- customer
         count(*) OVER customer_1m AS customer_count_1m, sum(payment.amount) OVER customer_1m AS customer_sum_1m, avg(payment.amount) OVER customer_1m AS customer_mean_1m, count(DISTINCT payment.card_id) OVER customer_1m AS customer_cards_1m,
         count(*) OVER customer_5m AS customer_count_5m, sum(payment.amount) OVER customer_5m AS customer_sum_5m, avg(payment.amount) OVER customer_5m AS customer_mean_5m, count(DISTINCT payment.card_id) OVER customer_5m AS customer_cards_5m,
         count(*) OVER customer_1h AS customer_count_1h, sum(payment.amount) OVER customer_1h AS customer_sum_1h, avg(payment.amount) OVER customer_1h AS customer_mean_1h, count(DISTINCT payment.card_id) OVER customer_1h AS customer_cards_1h,
         count(*) OVER customer_24h AS customer_count_24h, sum(payment.amount) OVER customer_24h AS customer_sum_24h, avg(payment.amount) OVER customer_24h AS customer_mean_24h, count(DISTINCT payment.card_id) OVER customer_24h AS customer_cards_24h,
         count(*) OVER customer_7d AS customer_count_7d, sum(payment.amount) OVER customer_7d AS customer_sum_7d, avg(payment.amount) OVER customer_7d AS customer_mean_7d, count(DISTINCT payment.card_id) OVER customer_7d AS customer_cards_7d,
         count(*) OVER customer_30d AS customer_count_30d, sum(payment.amount) OVER customer_30d AS customer_sum_30d, avg(payment.amount) OVER customer_30d AS customer_mean_30d, count(DISTINCT payment.card_id) OVER customer_30d AS customer_cards_30d,
         -- device
         count(*) OVER device_1m AS device_count_1m, sum(payment.amount) OVER device_1m AS device_sum_1m, avg(payment.amount) OVER device_1m AS device_mean_1m, count(DISTINCT payment.card_id) OVER device_1m AS device_cards_1m,
         count(*) OVER device_5m AS device_count_5m, sum(payment.amount) OVER device_5m AS device_sum_5m, avg(payment.amount) OVER device_5m AS device_mean_5m, count(DISTINCT payment.card_id) OVER device_5m AS device_cards_5m,
         count(*) OVER device_1h AS device_count_1h, sum(payment.amount) OVER device_1h AS device_sum_1h, avg(payment.amount) OVER device_1h AS device_mean_1h, count(DISTINCT payment.card_id) OVER device_1h AS device_cards_1h,
         count(*) OVER device_24h AS device_count_24h, sum(payment.amount) OVER device_24h AS device_sum_24h, avg(payment.amount) OVER device_24h AS device_mean_24h, count(DISTINCT payment.card_id) OVER device_24h AS device_cards_24h,
         count(*) OVER device_7d AS device_count_7d, sum(payment.amount) OVER device_7d AS device_sum_7d, avg(payment.amount) OVER device_7d AS device_mean_7d, count(DISTINCT payment.card_id) OVER device_7d AS device_cards_7d,
         count(*) OVER device_30d AS device_count_30d, sum(payment.amount) OVER device_30d AS device_sum_30d, avg(payment.amount) OVER device_30d AS device_mean_30d, count(DISTINCT payment.card_id) OVER device_30d AS device_cards_30d,
         -- ip
         count(*) OVER ip_1m AS ip_count_1m, sum(payment.amount) OVER ip_1m AS ip_sum_1m, avg(payment.amount) OVER ip_1m AS ip_mean_1m, count(DISTINCT payment.card_id) OVER ip_1m AS ip_cards_1m,
         count(*) OVER ip_5m AS ip_count_5m, sum(payment.amount) OVER ip_5m AS ip_sum_5m, avg(payment.amount) OVER ip_5m AS ip_mean_5m, count(DISTINCT payment.card_id) OVER ip_5m AS ip_cards_5m,
         count(*) OVER ip_1h AS ip_count_1h, sum(payment.amount) OVER ip_1h AS ip_sum_1h, avg(payment.amount) OVER ip_1h AS ip_mean_1h, count(DISTINCT payment.card_id) OVER ip_1h AS ip_cards_1h,
         count(*) OVER ip_24h AS ip_count_24h, sum(payment.amount) OVER ip_24h AS ip_sum_24h, avg(payment.amount) OVER ip_24h AS ip_mean_24h, count(DISTINCT payment.card_id) OVER ip_24h AS ip_cards_24h,
         count(*) OVER ip_7d AS ip_count_7d, sum(payment.amount) OVER ip_7d AS ip_sum_7d, avg(payment.amount) OVER ip_7d AS ip_mean_7d, count(DISTINCT payment.card_id) OVER ip_7d AS ip_cards_7d,
         count(*) OVER ip_30d AS ip_count_30d, sum(payment.amount) OVER ip_30d AS ip_sum_30d, avg(payment.amount) OVER ip_30d AS ip_mean_30d, count(DISTINCT payment.card_id) OVER ip_30d AS ip_cards_30d,
         -- terminal
         count(*) OVER terminal_1m AS terminal_count_1m, sum(payment.amount) OVER terminal_1m AS terminal_sum_1m, avg(payment.amount) OVER terminal_1m AS terminal_mean_1m, count(DISTINCT payment.card_id) OVER terminal_1m AS terminal_cards_1m,
         count(*) OVER terminal_5m AS terminal_count_5m, sum(payment.amount) OVER terminal_5m AS terminal_sum_5m, avg(payment.amount) OVER terminal_5m AS terminal_mean_5m, count(DISTINCT payment.card_id) OVER terminal_5m AS terminal_cards_5m,
         count(*) OVER terminal_1h AS terminal_count_1h, sum(payment.amount) OVER terminal_1h AS terminal_sum_1h, avg(payment.amount) OVER terminal_1h AS terminal_mean_1h, count(DISTINCT payment.card_id) OVER terminal_1h AS terminal_cards_1h,
         count(*) OVER terminal_24h AS terminal_count_24h, sum(payment.amount) OVER terminal_24h AS terminal_sum_24h, avg(payment.amount) OVER terminal_24h AS terminal_mean_24h, count(DISTINCT payment.card_id) OVER terminal_24h AS terminal_cards_24h,
         count(*) OVER terminal_7d AS terminal_count_7d, sum(payment.amount) OVER terminal_7d AS terminal_sum_7d, avg(payment.amount) OVER terminal_7d AS terminal_mean_7d, count(DISTINCT payment.card_id) OVER terminal_7d AS terminal_cards_7d,
         count(*) OVER terminal_30d AS terminal_count_30d, sum(payment.amount) OVER terminal_30d AS terminal_sum_30d, avg(payment.amount) OVER terminal_30d AS terminal_mean_30d, count(DISTINCT payment.card_id) OVER terminal_30d AS terminal_cards_30d,

         -- how the card is used
         avg(payment.amount) OVER card_30d AS card_usual_amount, stddev(payment.amount) OVER card_30d AS card_amount_deviation,
         EXTRACT(epoch FROM payment.event_time - lag(payment.event_time) OVER card_30d) AS card_idle_s,
         count(*) FILTER (WHERE payment.amount < 1) OVER card_1h AS card_micro_payments_1h,
         count(*) FILTER (WHERE payment.status = 'declined') OVER card_24h AS card_declined_24h,
         lag(payment.status) OVER card_1h = 'declined' AND payment.status = 'approved' AS approved_after_decline,
         lag(payment.latitude) OVER card_24h AS last_latitude, lag(payment.longitude) OVER card_24h AS last_longitude,
         payment.latitude, payment.longitude,

         -- seen for the first time in 30 days
         count(*) OVER card_on_device = 1 AS new_device, count(*) OVER card_at_terminal = 1 AS new_terminal,
         count(*) OVER customer_in_country = 1 AS new_country,

         -- where it is made, as reports have it so far
         COALESCE(risk.payments_1d, 0) AS terminal_matured_1d, COALESCE(risk.payments_7d, 0) AS terminal_matured_7d,
         COALESCE(risk.payments_30d, 0) AS terminal_matured_30d,
         COALESCE(risk.frauds_1d::double precision / NULLIF(risk.payments_1d, 0), 0) AS terminal_risk_1d,
         COALESCE(risk.frauds_7d::double precision / NULLIF(risk.payments_7d, 0), 0) AS terminal_risk_7d,
         COALESCE(risk.frauds_30d::double precision / NULLIF(risk.payments_30d, 0), 0) AS terminal_risk_30d
  FROM payments AS payment LEFT JOIN terminal_risk AS risk
    ON risk.transaction_id = payment.transaction_id AND risk.branch = 0
  WINDOW card_1m AS (PARTITION BY payment.card_id ORDER BY payment.event_time RANGE INTERVAL '1 minute' - INTERVAL '1 microsecond' PRECEDING),
         card_5m AS (PARTITION BY payment.card_id ORDER BY payment.event_time RANGE INTERVAL '5 minutes' - INTERVAL '1 microsecond' PRECEDING),
         card_1h AS (PARTITION BY payment.card_id ORDER BY payment.event_time RANGE INTERVAL '1 hour' - INTERVAL '1 microsecond' PRECEDING),
         card_24h AS (PARTITION BY payment.card_id ORDER BY payment.event_time RANGE INTERVAL '24 hours' - INTERVAL '1 microsecond' PRECEDING),
         card_7d AS (PARTITION BY payment.card_id ORDER BY payment.event_time RANGE INTERVAL '7 days' - INTERVAL '1 microsecond' PRECEDING),
         card_30d AS (PARTITION BY payment.card_id ORDER BY payment.event_time RANGE INTERVAL '30 days' - INTERVAL '1 microsecond' PRECEDING),
         customer_1m AS (PARTITION BY COALESCE(payment.customer_id, payment.card_id) ORDER BY payment.event_time RANGE INTERVAL '1 minute' - INTERVAL '1 microsecond' PRECEDING),
         customer_5m AS (PARTITION BY COALESCE(payment.customer_id, payment.card_id) ORDER BY payment.event_time RANGE INTERVAL '5 minutes' - INTERVAL '1 microsecond' PRECEDING),
         customer_1h AS (PARTITION BY COALESCE(payment.customer_id, payment.card_id) ORDER BY payment.event_time RANGE INTERVAL '1 hour' - INTERVAL '1 microsecond' PRECEDING),
         customer_24h AS (PARTITION BY COALESCE(payment.customer_id, payment.card_id) ORDER BY payment.event_time RANGE INTERVAL '24 hours' - INTERVAL '1 microsecond' PRECEDING),
         customer_7d AS (PARTITION BY COALESCE(payment.customer_id, payment.card_id) ORDER BY payment.event_time RANGE INTERVAL '7 days' - INTERVAL '1 microsecond' PRECEDING),
         customer_30d AS (PARTITION BY COALESCE(payment.customer_id, payment.card_id) ORDER BY payment.event_time RANGE INTERVAL '30 days' - INTERVAL '1 microsecond' PRECEDING),
         device_1m AS (PARTITION BY COALESCE(payment.device_id, payment.transaction_id) ORDER BY payment.event_time RANGE INTERVAL '1 minute' - INTERVAL '1 microsecond' PRECEDING),
         device_5m AS (PARTITION BY COALESCE(payment.device_id, payment.transaction_id) ORDER BY payment.event_time RANGE INTERVAL '5 minutes' - INTERVAL '1 microsecond' PRECEDING),
         device_1h AS (PARTITION BY COALESCE(payment.device_id, payment.transaction_id) ORDER BY payment.event_time RANGE INTERVAL '1 hour' - INTERVAL '1 microsecond' PRECEDING),
         device_24h AS (PARTITION BY COALESCE(payment.device_id, payment.transaction_id) ORDER BY payment.event_time RANGE INTERVAL '24 hours' - INTERVAL '1 microsecond' PRECEDING),
         device_7d AS (PARTITION BY COALESCE(payment.device_id, payment.transaction_id) ORDER BY payment.event_time RANGE INTERVAL '7 days' - INTERVAL '1 microsecond' PRECEDING),
         device_30d AS (PARTITION BY COALESCE(payment.device_id, payment.transaction_id) ORDER BY payment.event_time RANGE INTERVAL '30 days' - INTERVAL '1 microsecond' PRECEDING),
         ip_1m AS (PARTITION BY COALESCE(payment.ip_address, payment.transaction_id) ORDER BY payment.event_time RANGE INTERVAL '1 minute' - INTERVAL '1 microsecond' PRECEDING),
         ip_5m AS (PARTITION BY COALESCE(payment.ip_address, payment.transaction_id) ORDER BY payment.event_time RANGE INTERVAL '5 minutes' - INTERVAL '1 microsecond' PRECEDING),
         ip_1h AS (PARTITION BY COALESCE(payment.ip_address, payment.transaction_id) ORDER BY payment.event_time RANGE INTERVAL '1 hour' - INTERVAL '1 microsecond' PRECEDING),
         ip_24h AS (PARTITION BY COALESCE(payment.ip_address, payment.transaction_id) ORDER BY payment.event_time RANGE INTERVAL '24 hours' - INTERVAL '1 microsecond' PRECEDING),
         ip_7d AS (PARTITION BY COALESCE(payment.ip_address, payment.transaction_id) ORDER BY payment.event_time RANGE INTERVAL '7 days' - INTERVAL '1 microsecond' PRECEDING),
         ip_30d AS (PARTITION BY COALESCE(payment.ip_address, payment.transaction_id) ORDER BY payment.event_time RANGE INTERVAL '30 days' - INTERVAL '1 microsecond' PRECEDING),
         terminal_1m AS (PARTITION BY COALESCE(payment.terminal_id, payment.transaction_id) ORDER BY payment.event_time RANGE INTERVAL '1 minute' - INTERVAL '1 microsecond' PRECEDING),
         terminal_5m AS (PARTITION BY COALESCE(payment.terminal_id, payment.transaction_id) ORDER BY payment.event_time RANGE INTERVAL '5 minutes' - INTERVAL '1 microsecond' PRECEDING),
         terminal_1h AS (PARTITION BY COALESCE(payment.terminal_id, payment.transaction_id) ORDER BY payment.event_time RANGE INTERVAL '1 hour' - INTERVAL '1 microsecond' PRECEDING),
         terminal_24h AS (PARTITION BY COALESCE(payment.terminal_id, payment.transaction_id) ORDER BY payment.event_time RANGE INTERVAL '24 hours' - INTERVAL '1 microsecond' PRECEDING),
         terminal_7d AS (PARTITION BY COALESCE(payment.terminal_id, payment.transaction_id) ORDER BY payment.event_time RANGE INTERVAL '7 days' - INTERVAL '1 microsecond' PRECEDING),
         terminal_30d AS (PARTITION BY COALESCE(payment.terminal_id, payment.transaction_id) ORDER BY payment.event_time RANGE INTERVAL '30 days' - INTERVAL '1 microsecond' PRECEDING),
         card_on_device AS (PARTITION BY payment.card_id, payment.device_id ORDER BY payment.event_time RANGE INTERVAL '30 days' - INTERVAL '1 microsecond' PRECEDING),
         card_at_terminal AS (PARTITION BY payment.card_id, payment.terminal_id ORDER BY payment.event_time RANGE INTERVAL '30 days' - INTERVAL '1 microsecond' PRECEDING),
         customer_in_country AS (PARTITION BY COALESCE(payment.customer_id, payment.card_id), payment.country ORDER BY payment.event_time RANGE INTERVAL '30 days' - INTERVAL '1 microsecond' PRECEDING)
),
fraud_features AS (
  SELECT transaction_id, event_time, card_id, customer_id, device_id, ip_address, terminal_id, amount, currency, country,
         channel, status, is_weekend, is_night, is_late,
         card_count_1m, card_sum_1m, card_mean_1m, card_terminals_1m, card_count_5m, card_sum_5m, card_mean_5m, card_terminals_5m,
         card_count_1h, card_sum_1h, card_mean_1h, card_terminals_1h, card_count_24h, card_sum_24h, card_mean_24h, card_terminals_24h,
         card_count_7d, card_sum_7d, card_mean_7d, card_terminals_7d, card_count_30d, card_sum_30d, card_mean_30d, card_terminals_30d,
         customer_count_1m, customer_sum_1m, customer_mean_1m, customer_cards_1m, customer_count_5m, customer_sum_5m, customer_mean_5m, customer_cards_5m,
         customer_count_1h, customer_sum_1h, customer_mean_1h, customer_cards_1h, customer_count_24h, customer_sum_24h, customer_mean_24h, customer_cards_24h,
         customer_count_7d, customer_sum_7d, customer_mean_7d, customer_cards_7d, customer_count_30d, customer_sum_30d, customer_mean_30d, customer_cards_30d,
         device_count_1m, device_sum_1m, device_mean_1m, device_cards_1m, device_count_5m, device_sum_5m, device_mean_5m, device_cards_5m,
         device_count_1h, device_sum_1h, device_mean_1h, device_cards_1h, device_count_24h, device_sum_24h, device_mean_24h, device_cards_24h,
         device_count_7d, device_sum_7d, device_mean_7d, device_cards_7d, device_count_30d, device_sum_30d, device_mean_30d, device_cards_30d,
         ip_count_1m, ip_sum_1m, ip_mean_1m, ip_cards_1m, ip_count_5m, ip_sum_5m, ip_mean_5m, ip_cards_5m,
         ip_count_1h, ip_sum_1h, ip_mean_1h, ip_cards_1h, ip_count_24h, ip_sum_24h, ip_mean_24h, ip_cards_24h,
         ip_count_7d, ip_sum_7d, ip_mean_7d, ip_cards_7d, ip_count_30d, ip_sum_30d, ip_mean_30d, ip_cards_30d,
         terminal_count_1m, terminal_sum_1m, terminal_mean_1m, terminal_cards_1m, terminal_count_5m, terminal_sum_5m, terminal_mean_5m, terminal_cards_5m,
         terminal_count_1h, terminal_sum_1h, terminal_mean_1h, terminal_cards_1h, terminal_count_24h, terminal_sum_24h, terminal_mean_24h, terminal_cards_24h,
         terminal_count_7d, terminal_sum_7d, terminal_mean_7d, terminal_cards_7d, terminal_count_30d, terminal_sum_30d, terminal_mean_30d, terminal_cards_30d,
         amount::double precision / NULLIF(card_usual_amount::double precision, 0) AS amount_to_usual,
         (amount - card_usual_amount)::double precision / NULLIF(card_amount_deviation, 0) AS amount_z_score,
         card_count_1h * 24.0 / card_count_24h AS card_burst,
         card_idle_s, card_micro_payments_1h,
         card_declined_24h::double precision / card_count_24h AS card_decline_ratio_24h, approved_after_decline,
         -- as the crow flies from the payment before, by the haversine formula, on a globe of 6,371 km
         CASE WHEN latitude IS NOT NULL AND longitude IS NOT NULL AND last_latitude IS NOT NULL AND last_longitude IS NOT NULL
              THEN 2 * 6371 * asin(least(1, sqrt(
                     power(sin(radians(latitude - last_latitude) / 2), 2) + cos(radians(latitude)) *
                     cos(radians(last_latitude)) * power(sin(radians(longitude - last_longitude) / 2), 2))))
                   / (greatest(card_idle_s, 1) / 3600) END AS card_speed_kmh,
         new_device, new_terminal, new_country,
         terminal_matured_1d, terminal_matured_7d, terminal_matured_30d, terminal_risk_1d, terminal_risk_7d, terminal_risk_30d
  FROM in_context
),
scored AS (
  SELECT *, predict('fraud', amount, is_weekend, is_night,
                    customer_count_24h, customer_mean_24h, customer_count_7d, customer_mean_7d,
                    customer_count_30d, customer_mean_30d,
                    terminal_matured_1d, terminal_risk_1d, terminal_matured_7d, terminal_risk_7d,
                    terminal_matured_30d, terminal_risk_30d) AS score
  FROM fraud_features
)
SELECT transaction_id, event_time, card_id, customer_id, terminal_id, amount, currency, score,
       CASE WHEN score >= 0.8 OR rule_weight >= 1 THEN 'decline'
            WHEN score >= 0.4 OR rule_weight >= 0.5 THEN 'review'
            ELSE 'approve' END AS decision,
       concat_ws(',', NULLIF(reason_codes, ''),
                 CASE WHEN score >= 0.4 THEN 'MODEL_SCORE' END,
                 CASE WHEN terminal_risk_7d >= 0.1 THEN 'TERMINAL_RISK' END,
                 CASE WHEN amount_to_usual >= 5 AND card_count_30d >= 5 THEN 'UNUSUAL_AMOUNT' END,
                 CASE WHEN card_micro_payments_1h >= 5 THEN 'CARD_TESTING' END,
                 CASE WHEN card_speed_kmh > 900 THEN 'IMPOSSIBLE_TRAVEL' END,
                 CASE WHEN approved_after_decline THEN 'APPROVED_AFTER_DECLINE' END) AS reason_codes,
       rule_ids, rule_weight, model_version('fraud') AS model_version,
       -- the features, all of them
       is_weekend, is_night, is_late,
       card_count_1m, card_sum_1m, card_mean_1m, card_terminals_1m, card_count_5m, card_sum_5m, card_mean_5m, card_terminals_5m,
       card_count_1h, card_sum_1h, card_mean_1h, card_terminals_1h, card_count_24h, card_sum_24h, card_mean_24h, card_terminals_24h,
       card_count_7d, card_sum_7d, card_mean_7d, card_terminals_7d, card_count_30d, card_sum_30d, card_mean_30d, card_terminals_30d,
       customer_count_1m, customer_sum_1m, customer_mean_1m, customer_cards_1m, customer_count_5m, customer_sum_5m, customer_mean_5m, customer_cards_5m,
       customer_count_1h, customer_sum_1h, customer_mean_1h, customer_cards_1h, customer_count_24h, customer_sum_24h, customer_mean_24h, customer_cards_24h,
       customer_count_7d, customer_sum_7d, customer_mean_7d, customer_cards_7d, customer_count_30d, customer_sum_30d, customer_mean_30d, customer_cards_30d,
       device_count_1m, device_sum_1m, device_mean_1m, device_cards_1m, device_count_5m, device_sum_5m, device_mean_5m, device_cards_5m,
       device_count_1h, device_sum_1h, device_mean_1h, device_cards_1h, device_count_24h, device_sum_24h, device_mean_24h, device_cards_24h,
       device_count_7d, device_sum_7d, device_mean_7d, device_cards_7d, device_count_30d, device_sum_30d, device_mean_30d, device_cards_30d,
       ip_count_1m, ip_sum_1m, ip_mean_1m, ip_cards_1m, ip_count_5m, ip_sum_5m, ip_mean_5m, ip_cards_5m,
       ip_count_1h, ip_sum_1h, ip_mean_1h, ip_cards_1h, ip_count_24h, ip_sum_24h, ip_mean_24h, ip_cards_24h,
       ip_count_7d, ip_sum_7d, ip_mean_7d, ip_cards_7d, ip_count_30d, ip_sum_30d, ip_mean_30d, ip_cards_30d,
       terminal_count_1m, terminal_sum_1m, terminal_mean_1m, terminal_cards_1m, terminal_count_5m, terminal_sum_5m, terminal_mean_5m, terminal_cards_5m,
       terminal_count_1h, terminal_sum_1h, terminal_mean_1h, terminal_cards_1h, terminal_count_24h, terminal_sum_24h, terminal_mean_24h, terminal_cards_24h,
       terminal_count_7d, terminal_sum_7d, terminal_mean_7d, terminal_cards_7d, terminal_count_30d, terminal_sum_30d, terminal_mean_30d, terminal_cards_30d,
       amount_to_usual, amount_z_score, card_burst, card_idle_s, card_micro_payments_1h, card_decline_ratio_24h,
       approved_after_decline, card_speed_kmh, new_device, new_terminal, new_country,
       terminal_matured_1d, terminal_matured_7d, terminal_matured_30d, terminal_risk_1d, terminal_risk_7d, terminal_risk_30d
FROM apply_rules(scored, fraud_rules);

-- ---- decisions -----------------------------------------------------------------------------------

CREATE MATERIALIZED VIEW latest_by_card WITH (key = 'card_id', retention = '30 days') AS
SELECT card_id, transaction_id, event_time, score, decision FROM decisions;

CREATE MATERIALIZED VIEW latest_by_customer WITH (key = 'customer_id', retention = '30 days') AS
SELECT customer_id, transaction_id, event_time, score, decision FROM decisions WHERE customer_id IS NOT NULL;

CREATE MATERIALIZED VIEW decisions_per_hour WITH (retention = '30 days') AS
SELECT window_start, decision, model_version, count(*) AS payments, sum(amount) AS amount, avg(score) AS mean_score
FROM tumble(decisions, event_time, INTERVAL '1 hour') GROUP BY window_start, decision, model_version;

INSERT INTO fraud_alerts
SELECT transaction_id, event_time, card_id, customer_id, amount, score, decision, reason_codes, rule_ids, model_version
FROM decisions WHERE decision <> 'approve';

-- ---- sales ---------------------------------------------------------------------------------------

-- Revenue is net: what came back is taken off. An order is an invoice with something sold on it; a return an invoice
-- with something that came back (a cancellation's number begins with C).
CREATE MATERIALIZED VIEW sales_by_minute WITH (grace = '1 hour', retention = '2 days') AS
SELECT window_start, store_id, category, country,
       sum(quantity * unit_price) AS revenue,
       count(DISTINCT invoice_no) FILTER (WHERE quantity > 0) AS orders,
       COALESCE(sum(quantity) FILTER (WHERE quantity > 0), 0) AS items,
       count(DISTINCT invoice_no) FILTER (WHERE quantity < 0) AS returns,
       COALESCE(-sum(quantity * unit_price) FILTER (WHERE quantity < 0), 0) AS returned
FROM tumble(sale_lines, event_time, INTERVAL '1 minute') GROUP BY window_start, store_id, category, country;

CREATE MATERIALIZED VIEW sales_by_hour WITH (grace = '1 hour', retention = '90 days') AS
SELECT window_start, store_id, category, country,
       sum(quantity * unit_price) AS revenue,
       count(DISTINCT invoice_no) FILTER (WHERE quantity > 0) AS orders,
       COALESCE(sum(quantity) FILTER (WHERE quantity > 0), 0) AS items,
       count(DISTINCT invoice_no) FILTER (WHERE quantity < 0) AS returns,
       COALESCE(-sum(quantity * unit_price) FILTER (WHERE quantity < 0), 0) AS returned
FROM tumble(sale_lines, event_time, INTERVAL '1 hour') GROUP BY window_start, store_id, category, country;

CREATE MATERIALIZED VIEW sales_by_day WITH (grace = '1 hour', retention = '800 days') AS
SELECT window_start, store_id, category, country,
       sum(quantity * unit_price) AS revenue,
       count(DISTINCT invoice_no) FILTER (WHERE quantity > 0) AS orders,
       COALESCE(sum(quantity) FILTER (WHERE quantity > 0), 0) AS items,
       count(DISTINCT invoice_no) FILTER (WHERE quantity < 0) AS returns,
       COALESCE(-sum(quantity * unit_price) FILTER (WHERE quantity < 0), 0) AS returned
FROM tumble(sale_lines, event_time, INTERVAL '1 day') GROUP BY window_start, store_id, category, country;

CREATE MATERIALIZED VIEW product_sales_by_day WITH (grace = '1 hour', retention = '800 days') AS
SELECT window_start, stock_code, sum(quantity * unit_price) AS revenue, sum(quantity) AS items
FROM tumble(sale_lines, event_time, INTERVAL '1 day') GROUP BY window_start, stock_code;

CREATE MATERIALIZED VIEW top_products_by_day AS
SELECT window_start, place, product_id, revenue, items
FROM (SELECT window_start, stock_code AS product_id, revenue, items,
             row_number() OVER (PARTITION BY window_start ORDER BY revenue DESC, stock_code) AS place
      FROM product_sales_by_day) AS ranked
WHERE place <= 20;

-- All there is, for checks against the books.
CREATE MATERIALIZED VIEW sales_totals AS
SELECT count(*) AS lines, count(DISTINCT invoice_no) AS invoices, count(DISTINCT customer_id) AS customers,
       sum(quantity) AS items, sum(quantity * unit_price) AS revenue,
       count(DISTINCT invoice_no) FILTER (WHERE invoice_no LIKE 'C%') AS cancellations,
       COALESCE(-sum(quantity * unit_price) FILTER (WHERE quantity < 0), 0) AS returned
FROM sale_lines;
