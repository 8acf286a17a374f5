-- What is likely fraud, and why.
SELECT event_time, transaction_id, amount, score, decision, reason_codes, rule_ids FROM decisions WHERE decision <> 'approve' ORDER BY event_time DESC LIMIT 20;

-- What was decided about a card last.
SELECT * FROM latest_by_card WHERE card_id = 'card-2';

-- How payments were decided, by the hour.
SELECT window_start, decision, model_version, payments, amount FROM decisions_per_hour ORDER BY window_start DESC, decision LIMIT 24;

-- What could not be taken for a payment.
SELECT * FROM rejected_transactions ORDER BY event_time DESC LIMIT 20;

-- Revenue and the average basket of a day, by country.
SELECT country, sum(revenue) AS revenue, sum(orders) AS orders, sum(revenue) / NULLIF(sum(orders), 0) AS basket
FROM sales_by_day WHERE window_start = '2026-11-02' GROUP BY country ORDER BY revenue DESC;

-- The best products of a day.
SELECT place, product_id, revenue, items FROM top_products_by_day WHERE window_start = '2026-11-02' ORDER BY place;
