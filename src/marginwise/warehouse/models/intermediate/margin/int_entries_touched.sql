-- Grain: one margin entry, with what the evidence of single customers is made of. All entries in a full refresh, else those of
-- touched subjects, read once for all models behind it.
{{ config(materialized='slice') }}

with entries as (

    {{ margin_entries(ref('int_subjects_touched')) | indent(4) }}

)

select
    store_id, subject_key, customer_key, order_id, partner_id, category, entry_date, is_cancelled,
    net_revenue_amount, refund_amount, discount_amount, cm1_amount, cm2_amount, coverage_weight_amount,
    goods_cost_amount, shipping_cost_amount, payment_fee_amount, commission_amount, handling_cost_amount,
    return_handling_cost_amount, goods_cost_basis, shipping_cost_basis, payment_fee_basis
from entries
