-- Grain: one landed row that states sales: of order_items, and of refunds where one raw table holds both.
-- Loaded or not, each row once, with what core made of it. Amounts in store currency, refunds negative.
with landed_lines as (

    select * from {{ ref('chk_order_items') }}

),

-- a raw row that became both a line and a refund states its sale once, as the line
landed_refunds as (

    select * from {{ ref('chk_refunds') }} as refunds
    where
        _raw_table in (select _raw_table from landed_lines)
        and not exists (
            select 1 from landed_lines as lines
            where lines._file_hash = refunds._file_hash and lines._row_number = refunds._row_number
        )

),

order_lines as (

    select * from {{ ref('fct_order_lines') }}

),

refunds as (

    select * from {{ ref('fct_refunds') }}

),

rates as (

    select * from {{ ref('int_landed_orders_rated') }}

),

lines_matched as (

    select
        landed_lines.store_id,
        landed_lines.product_id,
        false as is_refund,
        landed_lines._violations as violations,
        not landed_lines._is_current as is_replaced,
        coalesce(landed_lines.unit_price = 0, false) as is_free,
        coalesce(order_lines.is_void or order_lines.is_test, false) as is_void_or_test,
        false as has_earlier_sale,
        order_lines.is_good,
        coalesce(
            order_lines.line_amount,
            {{ money('landed_lines.quantity * landed_lines.unit_price * coalesce(rates.exchange_rate, 1)') }}
        ) as amount
    from landed_lines
    left join order_lines
        on
            landed_lines.store_id = order_lines.store_id
            and landed_lines.order_id = order_lines.order_id
            and landed_lines.line_number = order_lines.line_number
            and landed_lines._is_current
            and landed_lines._violations is null
    left join rates
        on landed_lines.store_id = rates.store_id and landed_lines.order_id = rates.order_id

),

refunds_matched as (

    select
        landed_refunds.store_id,
        landed_refunds.product_id,
        true as is_refund,
        landed_refunds._violations as violations,
        not landed_refunds._is_current as is_replaced,
        coalesce(landed_refunds.amount = 0, false) as is_free,
        false as is_void_or_test,
        coalesce(refunds.has_earlier_sale, false) as has_earlier_sale,
        refunds.is_good,
        -coalesce(refunds.amount, {{ money('landed_refunds.amount * coalesce(rates.exchange_rate, 1)') }}) as amount
    from landed_refunds
    left join refunds
        on
            landed_refunds.store_id = refunds.store_id
            and landed_refunds.refund_id = refunds.refund_id
            and landed_refunds._is_current
            and landed_refunds._violations is null
    left join rates
        on landed_refunds.store_id = rates.store_id and landed_refunds.order_id = rates.order_id

),

final as (

    select * from lines_matched union all select * from refunds_matched

)

select * from final
