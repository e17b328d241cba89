-- Grain: one landed row that states sales and is no order line: rows of order_items that were not loaded, and rows of refunds
-- where one raw table holds both. Each once, with what core made of it. Amounts in store currency, refunds negative.
{%- set has_refunds = is_any(
    ref('chk_refunds') ~ ' where _raw_table in (select items._raw_table from ' ~ ref('chk_order_items') ~ ' as items)'
) %}

with landed_lines as (

    select * from {{ ref('chk_order_items') }}
    where not _is_current

),

-- the rate of an order in another currency, loaded or not; null where there is none on its day
rates as (

    select orders.store_id, orders.order_id, max(exchange_rates.rate) as exchange_rate
    from {{ ref('chk_orders') }} as orders
    inner join {{ ref('stg_exchange_rates') }} as exchange_rates
        on
            orders.store_id = exchange_rates.store_id
            and orders.currency = exchange_rates.currency
            and {{ local_date('orders.ordered_at') }} = exchange_rates.date
    where orders.currency <> '{{ var("reporting_currency") }}'
    group by orders.store_id, orders.order_id

),
{% if has_refunds %}
landed_refunds as (

    select
        refunds.*,
        case when refunds._is_current and refunds._violations is null then refunds.refund_id end as loaded_refund_id
    from {{ ref('chk_refunds') }} as refunds
    where refunds._raw_table in (select lines._raw_table from {{ ref('chk_order_items') }} as lines)

),

line_rows as (

    select lines._file_hash, lines._row_number
    from {{ ref('chk_order_items') }} as lines
    where {{ is_among('lines', ['_file_hash', '_row_number'], 'landed_refunds') }}

),

refunds as (

    select * from {{ ref('fct_refunds') }}

),
{% endif %}
final as (

    select
        landed_lines.store_id,
        landed_lines.product_id,
        false as is_refund,
        landed_lines._violations as violations,
        not landed_lines._is_current as is_replaced,
        coalesce(landed_lines.unit_price = 0, false) as is_free,
        false as has_earlier_sale,
        cast(null as boolean) as is_good,
        {{ amount_times('landed_lines.quantity * coalesce(rates.exchange_rate, 1)', 'landed_lines.unit_price') }} as amount
    from landed_lines
    left join rates on landed_lines.store_id = rates.store_id and landed_lines.order_id = rates.order_id
    {%- if has_refunds %}
    union all
    -- a raw row that became both a line and a refund states its sale once, as the line
    select
        landed_refunds.store_id,
        landed_refunds.product_id,
        true,
        landed_refunds._violations,
        not landed_refunds._is_current,
        coalesce(landed_refunds.amount = 0, false),
        coalesce(refunds.has_earlier_sale, false),
        refunds.is_good,
        -coalesce(refunds.amount, {{ amount_times('landed_refunds.amount', 'coalesce(rates.exchange_rate, 1)') }})
    from landed_refunds
    left join line_rows
        on landed_refunds._file_hash = line_rows._file_hash and landed_refunds._row_number = line_rows._row_number
    left join refunds
        on landed_refunds.store_id = refunds.store_id and landed_refunds.loaded_refund_id = refunds.refund_id
    left join rates on landed_refunds.store_id = rates.store_id and landed_refunds.order_id = rates.order_id
    where line_rows._row_number is null
    {%- endif %}

)

select * from final
