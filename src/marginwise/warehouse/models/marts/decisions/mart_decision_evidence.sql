-- Grain: one unit (unit_kind, unit_id) and customer, guest order or nameless refund (subject_key).
-- Never sum over unit kinds: channels, campaigns, partners and categories each tell the same money.
-- A view: the rows lie in the two models it unites, and the published store has them as a table.
{{ config(materialized='view') }}

with evidence as (

    select * from {{ ref('int_decision_evidence_united') }}
    where period = 'current'

),

final as (

    select
        store_id,
        unit_kind,
        unit_id,
        subject_key,
        customer_key,
        entered_date,
        orders_count,
        cast(net_revenue_amount as decimal(18, 4)) as net_revenue_amount,
        cast(cm2_amount as decimal(18, 4)) as cm2_amount,
        cast(unknown_cost_revenue_amount as decimal(18, 4)) as unknown_cost_revenue_amount,
        has_repeated
    from evidence

)

select * from final
