-- Grain: one landed row that states sales: of order_items, and of refunds where one raw table holds both.
-- Loaded or not, each row once, with what core made of it. Amounts in store currency, refunds negative.
with landed_lines as (

    select *, case when _is_current and _violations is null then order_id end as loaded_order_id
    from {{ ref('chk_order_items') }}

),

raw_tables as (

    select distinct _raw_table from landed_lines

),

line_rows as (

    select _file_hash, _row_number from landed_lines
    where _raw_table in (select refunds._raw_table from {{ ref('chk_refunds') }} as refunds)

),

-- a raw row that became both a line and a refund states its sale once, as the line
landed_refunds as (

    select
        refunds.*,
        case when refunds._is_current and refunds._violations is null then refunds.refund_id end as loaded_refund_id
    from {{ ref('chk_refunds') }} as refunds
    inner join raw_tables on refunds._raw_table = raw_tables._raw_table
    left join line_rows on refunds._file_hash = line_rows._file_hash and refunds._row_number = line_rows._row_number
    where line_rows._row_number is null

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

final as (

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
            {{ amount_times('landed_lines.quantity * coalesce(rates.exchange_rate, 1)', 'landed_lines.unit_price') }}
        ) as amount
    from landed_lines
    left join order_lines
        on
            landed_lines.store_id = order_lines.store_id
            and landed_lines.loaded_order_id = order_lines.order_id
            and landed_lines.line_number = order_lines.line_number
    left join rates on landed_lines.store_id = rates.store_id and landed_lines.order_id = rates.order_id
    union all
    select
        landed_refunds.store_id,
        landed_refunds.product_id,
        true,
        landed_refunds._violations,
        not landed_refunds._is_current,
        coalesce(landed_refunds.amount = 0, false),
        false,
        coalesce(refunds.has_earlier_sale, false),
        refunds.is_good,
        -coalesce(refunds.amount, {{ amount_times('landed_refunds.amount', 'coalesce(rates.exchange_rate, 1)') }})
    from landed_refunds
    left join refunds
        on landed_refunds.store_id = refunds.store_id and landed_refunds.loaded_refund_id = refunds.refund_id
    left join rates on landed_refunds.store_id = rates.store_id and landed_refunds.order_id = rates.order_id

)

select * from final
