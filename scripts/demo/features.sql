-- The features that the model learns from and that the scoring service computes for each applicant:
-- one text for both, so that they cannot drift apart. The column `sex` is left out on purpose.
CREATE OR REPLACE TABLE credit_features AS
SELECT
  printf('applicant-%04d', row_number() OVER ()) AS applicant_id,
  age,
  CASE
    WHEN age <= 25 THEN '18-25'
    WHEN age <= 35 THEN '26-35'
    WHEN age <= 50 THEN '36-50'
    ELSE '51+'
  END AS age_group,
  credit_amount,
  duration,
  round(credit_amount / duration, 2) AS amount_per_month,
  job,
  housing,
  saving_accounts,
  checking_account,
  purpose,
  CAST(risk = 0 AS INTEGER) AS defaulted
FROM german_credit
