-- Grain: one refund line. `amount` is what leaves net revenue: store currency, excluding tax and shipping; count it where is_counted.
-- A refund that lies on no order line (is_orderless) counts at its own date on both date bases.

with refunds as (

    select *, {{ local_date('refunded_at') }} as refund_date from {{ ref('stg_refunds') }}

),

placed as (

    select * from {{ ref('int_refunds_placed') }}

),

unplaced as (

    select * from {{ ref('int_refunds_unplaced') }}

),

orders as (

    select * from {{ ref('fct_orders') }}

),

joined as (

    select
        refunds.*,
        coalesce(refunds.customer_id, orders.customer_id) as known_customer_id,
        {{ key(['refunds.store_id', 'coalesce(refunds.customer_id, orders.customer_id)']) }} as customer_key,
        {{ key(['refunds.store_id', 'refunds.product_id']) }} as own_product_key,
        placed.product_key as line_product_key,
        orders.order_key, placed.order_line_key, orders.order_date,
        placed.refund_id is null as is_orderless,
        coalesce(placed.is_good, unplaced.is_good) as is_good,
        coalesce(placed.is_counted, unplaced.is_good and not coalesce(orders.is_void or orders.is_test or orders.is_cancelled, false))
            as is_counted,
        coalesce(orders.exchange_rate, unplaced.exchange_rate) as exchange_rate,
        coalesce(placed.amount, unplaced.amount) as effect_amount,
        coalesce(placed.tax_amount, unplaced.tax_amount, 0) as tax_effect_amount,
        coalesce(placed.shipping_amount, unplaced.shipping_amount, 0) as shipping_effect_amount,
        coalesce(placed.handling_cost_amount, unplaced.handling_cost_amount, 0) as handling_effect_amount,
        case when placed.refund_id is not null then placed.restocked_cost_amount else unplaced.restocked_cost_amount end
            as restocked_cost_amount,
        case when orders.is_counted then orders.gross_sales_amount - orders.discount_amount end as order_sales_amount
    from refunds
    left join placed on refunds.store_id = placed.store_id and refunds.refund_id = placed.refund_id
    left join unplaced on refunds.store_id = unplaced.store_id and refunds.refund_id = unplaced.refund_id
    left join orders on refunds.store_id = orders.store_id and refunds.order_id = orders.order_id

),

-- when the refund's customer first bought the product, for refunds that name no order
first_sales as (

    select lines.store_id, lines.customer_key, lines.product_key, min(lines.ordered_at) as first_sold_at
    from {{ ref('fct_order_lines') }} as lines
    inner join (select distinct store_id, customer_key, own_product_key from joined where is_orderless) as asked
        on
            lines.store_id = asked.store_id
            and lines.customer_key = asked.customer_key
            and lines.product_key = asked.own_product_key
    where lines.is_counted
    group by lines.store_id, lines.customer_key, lines.product_key

),

final as (

    select
        {{ key(['joined.store_id', 'joined.refund_id']) }} as refund_key,
        joined.order_key, joined.order_line_key, joined.customer_key,
        coalesce(joined.own_product_key, case when joined.order_line_key is not null then joined.line_product_key end) as product_key,
        joined.store_id, joined.refund_id, joined.order_id, joined.known_customer_id as customer_id, joined.product_id, joined.kind,
        joined.quantity, coalesce(joined.restocked_quantity, 0) as restocked_quantity,
        cast(joined.effect_amount as decimal(18, 4)) as amount,
        cast(joined.tax_effect_amount as decimal(18, 4)) as tax_amount,
        cast(joined.shipping_effect_amount as decimal(18, 4)) as shipping_amount,
        cast(joined.restocked_cost_amount as decimal(18, 4)) as restocked_cost_amount,
        cast(joined.handling_effect_amount as decimal(18, 4)) as handling_cost_amount,
        joined.is_counted, joined.is_good, joined.is_orderless,
        not joined.is_orderless or coalesce(first_sales.first_sold_at <= joined.refunded_at, false) as has_earlier_sale,
        joined.order_key is not null
        and coalesce(
            sum(joined.effect_amount) over (
                partition by joined.order_key order by joined.refunded_at, joined.refund_id
                rows between unbounded preceding and current row
            ) > joined.order_sales_amount,
            false
        ) as is_above_order,
        joined.exchange_rate, joined.refund_date,
        case when joined.is_orderless then joined.refund_date else joined.order_date end as order_date_basis_date,
        joined.refunded_at,
        joined._source, joined._file_hash, joined._row_number
    from joined
    left join first_sales
        on
            joined.store_id = first_sales.store_id
            and joined.customer_key = first_sales.customer_key
            and joined.own_product_key = first_sales.product_key

)

select * from final
