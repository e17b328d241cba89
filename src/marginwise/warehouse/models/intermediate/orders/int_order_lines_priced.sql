-- Grain: one order line, in store currency: what was sold at which price, with which discount, tax and cost.
-- The version of the product, its dated cost and its dated list price are those at the moment of the order.
{{ config(materialized='view') }}

with lines as (

    select * from {{ ref('int_order_lines_weighed') }}

),

orders as (

    select * from {{ ref('int_orders_resolved') }} as resolved
    where {{ is_touched('resolved', 'int_orders_touched', ['store_id', 'order_id']) }}

),

products as (

    select * from {{ ref('dim_products') }}

),

exchange_rates as (

    select * from {{ ref('stg_exchange_rates') }}

),

costs as (

    {{ dated_values(ref('stg_product_costs'), 'unit_cost') }}

),

prices as (

    {{ dated_values(ref('stg_product_prices'), 'list_price') }}

),

category_rates as (

    select * from {{ ref('int_category_rates_assumed') }}

),

final as (

    select
        orders.*,
        lines.line_number, lines.product_id, products.product_key, products.product_version_key,
        coalesce(lines.partner_id, orders.partner_id, products.partner_id) as line_partner_id,
        products.category, products.kind as product_kind,
        lines.quantity, lines.free_quantity, lines.share_before, lines.share_after,
        lines.is_good, lines.is_duplicate,
        lines.is_good and not orders.is_void and not orders.is_test as is_counted,
        lines._source, lines._file_hash, lines._row_number,
        coalesce(orders.assumed_tax_rate, category_rates.tax_rate, category_rates.default_tax_rate) as tax_rate,
        category_rates.margin_rate,
        {{ converted('lines.unit_price', 'orders.exchange_rate') }} as unit_price_amount,
        {{ converted('lines.line_amount', 'orders.exchange_rate') }} as line_amount,
        {{ converted('lines.discount_amount', 'orders.exchange_rate') }} as line_discount_amount,
        {{ converted('lines.tax_amount', 'orders.exchange_rate') }} as line_tax_amount,
        {{ converted(
            'lines.order_net_amount + case when orders.has_tax_in_prices then 0 else lines.order_line_tax_amount end',
            'orders.exchange_rate'
        ) }} as order_lines_amount,
        coalesce(
            {{ converted('lines.unit_cost', 'orders.exchange_rate') }},
            {{ converted('costs.unit_cost', exchange_rate_of('costs', 'cost_rates')) }},
            products.unit_cost
        ) as unit_cost_amount,
        coalesce(
            {{ converted('prices.list_price', exchange_rate_of('prices', 'price_rates')) }},
            products.list_price
        ) as list_price_amount
    from lines
    inner join orders on lines.store_id = orders.store_id and lines.order_id = orders.order_id
    left join products
        on
            lines.store_id = products.store_id and lines.product_id = products.product_id
            and {{ valid_at('products', 'orders.ordered_at') }}
    left join costs
        on
            lines.store_id = costs.store_id and lines.product_id = costs.product_id
            and {{ valid_at('costs', 'orders.ordered_at') }}
    left join prices
        on
            lines.store_id = prices.store_id and lines.product_id = prices.product_id
            and {{ valid_at('prices', 'orders.ordered_at') }}
    {{ rate_join('cost_rates', 'costs') }}
    {{ rate_join('price_rates', 'prices') }}
    left join category_rates on lower(coalesce(products.category, '')) = category_rates.category

)

select * from final
