-- Grain: one store, day, channel and campaign of margin entries (last touch; null for refunds on no order line). Every step of
-- the margin bridge with its amount and rows: totals and changes side by side, never sum over steps.
{{ config(materialized='kept', key=['store_id', 'entry_date'], touched='int_dates_touched', is_told=false) }}
{%- set steps = margin_bridge_steps() | selectattr('source', 'equalto', 'entries') | list %}

with entries as (

    select * from {{ ref('int_margin_entries_united') }} as entries
    where {{ is_touched('entries', 'int_dates_touched', ['store_id', 'entry_date'], date='entry_date') }}

),

final as (

    select
        store_id,
        entry_date,
        channel_name,
        campaign_name,
        count(distinct case when not is_cancelled then order_id end) as orders_count,
        {{ summed('gross_sales_amount') }} as gross_sales_amount,
        {{ summed('discount_amount') }} as discount_amount,
        {{ summed('cancelled_amount') }} as cancelled_amount,
        {{ summed('refund_amount') }} as refund_amount,
        {{ summed('case when cm1_amount is null then net_revenue_amount else 0 end') }} as unknown_cost_revenue_amount,
        {%- for step in steps %}
        {{ summed('case when ' ~ step.rows ~ ' then ' ~ step.amount ~ ' end') }} as {{ step.id }}_step_amount,
        {{ rows_where(step.rows ~ (' and (' ~ step.amount ~ ') <> 0' if step.kind == 'change' else '')) }}
            as {{ step.id }}_step_count{{ "," if not loop.last }}
        {%- endfor %}
    from entries
    group by store_id, entry_date, channel_name, campaign_name

)

select * from final
