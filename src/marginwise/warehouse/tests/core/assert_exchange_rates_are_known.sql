-- Every refund, spend and dated cost in another currency has a rate on its day; each missing one is named.

with costs as (

    {{ dated_values(ref('stg_product_costs'), 'unit_cost') }}

),

asked as (

    select store_id, 'of refunds without order' as currency, refund_date as day from {{ ref('fct_refunds') }} where exchange_rate is null
    union
    select store_id, stated_channel, spend_date from {{ ref('fct_marketing_spend') }} where stated_spend_amount is null
    union
    select lines.store_id, costs.currency, lines.order_date
    from costs
    inner join {{ ref('fct_order_lines') }} as lines
        on
            costs.store_id = lines.store_id
            and costs.product_id = lines.product_id
            and {{ valid_at('costs', 'lines.ordered_at') }}
    left join {{ ref('stg_exchange_rates') }} as rates
        on
            costs.store_id = rates.store_id
            and costs.currency = rates.currency
            and lines.order_date = rates.date
    where costs.currency <> '{{ var("reporting_currency") }}' and rates.rate is null

)

select * from asked
