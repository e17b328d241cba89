-- Grain: one refund line. `amount` is what leaves net revenue: store currency, excluding tax and shipping; count it
-- where is_counted. A refund that lies on no order line (is_orderless) counts at its own date on both date bases.
{{ config(
    materialized='kept', key=['store_id', 'refund_id'], touched='int_refunds_touched', compared='all', rows_anew_are_read=true
) }}

with refunds as (

    select *, {{ local_date('refunded_at') }} as refund_date from {{ ref('stg_refunds') }} as stated
    where {{ is_touched('stated', 'int_refunds_touched', ['store_id', 'refund_id']) }}

),

orders as (

    select * from {{ ref('fct_orders') }} as orders
    where {{ is_asked_for('orders', ['store_id', 'order_id'], 'refunds') }}

),

joined as (

    select
        valued.*,
        refunds.order_id, refunds.product_id, refunds.kind, refunds.quantity, refunds.restocked_quantity,
        refunds.refunded_at, refunds.refund_date, refunds._source, refunds._file_hash, refunds._row_number,
        coalesce(refunds.customer_id, orders.customer_id) as customer_id,
        orders.order_key, orders.order_date,
        orders.exchange_rate as order_exchange_rate,
        not coalesce(orders.is_void or orders.is_test or orders.is_cancelled, false) as is_of_a_sale,
        case when orders.is_counted then orders.gross_sales_amount - orders.discount_amount end as order_sales_amount,
        sum(valued.amount) over (
            partition by orders.order_key order by refunds.refunded_at, refunds.refund_id
            rows between unbounded preceding and current row
        ) as amount_so_far
    from refunds
    inner join {{ ref('int_refunds_valued') }} as valued on refunds.store_id = valued.store_id and refunds.refund_id = valued.refund_id
    left join orders on refunds.store_id = orders.store_id and refunds.order_id = orders.order_id

),

asked as (

    select distinct store_id, customer_id, product_id from joined
    where is_orderless

),

-- when the refund's customer first bought the product, for refunds that name no order
first_sales as (

    select lines.store_id, lines.customer_id, lines.product_id, min(lines.ordered_at) as first_sold_at
    from {{ ref('fct_order_lines') }} as lines
    inner join asked
        on
            lines.store_id = asked.store_id
            and lines.customer_id = asked.customer_id
            and lines.product_id = asked.product_id
    where lines.is_counted and {{ is_asked_for('lines', ['store_id', 'customer_id'], 'asked') }}
    group by lines.store_id, lines.customer_id, lines.product_id

),

final as (

    select
        {{ key(['joined.store_id', 'joined.refund_id'], of='refund') }} as refund_key,
        joined.order_key, joined.order_line_key,
        {{ key(['joined.store_id', 'joined.customer_id']) }} as customer_key,
        coalesce(
            {{ key(['joined.store_id', 'joined.product_id']) }},
            case when joined.order_line_key is not null then joined.line_product_key end
        ) as product_key,
        joined.store_id, joined.refund_id, joined.order_id, joined.customer_id, joined.product_id, joined.kind,
        cast(joined.quantity as decimal(18, 4)) as quantity,
        cast(coalesce(joined.restocked_quantity, 0) as decimal(18, 4)) as restocked_quantity,
        {% for name in ('amount', 'tax_amount', 'shipping_amount', 'restocked_cost_amount', 'handling_cost_amount') -%}
        cast(joined.{{ name }} as decimal(18, 4)) as {{ name }},
        {% endfor -%}
        joined.is_counted and joined.is_of_a_sale as is_counted, joined.is_good, joined.is_orderless,
        not joined.is_orderless or coalesce(first_sales.first_sold_at <= joined.refunded_at, false) as has_earlier_sale,
        joined.order_key is not null and coalesce(joined.amount_so_far > joined.order_sales_amount, false)
            as is_above_order,
        coalesce(joined.order_exchange_rate, joined.exchange_rate) as exchange_rate, joined.refund_date,
        case when joined.is_orderless then joined.refund_date else joined.order_date end as order_date_basis_date,
        joined.refunded_at,
        joined._source, joined._file_hash, joined._row_number
    from joined
    left join first_sales
        on
            joined.store_id = first_sales.store_id
            and joined.customer_id = first_sales.customer_id
            and joined.product_id = first_sales.product_id

)

select * from final
