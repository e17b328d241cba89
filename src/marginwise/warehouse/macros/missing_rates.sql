{# Which exchange rates are missing: asked before anything is built, of all that is valued at one. #}

{# Rows in a currency without a rate on their day stop the run: the message names the currencies and the days. #}
{% macro missing_rates() -%}
    {%- set priced = {
        'orders': days_of_foreign_orders(), 'marketing_spend': days_of_foreign_spend(),
        'product_costs': days_of_foreign_costs(), 'refunds': days_of_foreign_refunds()
    } -%}
    select
        judged.table_name,
        'missing_rate' as rule,
        'stop' as severity,
        coalesce(sum(told.row_count), 0) as row_count,
        coalesce(
            judged.table_name || ': no exchange rate to {{ var("reporting_currency") }} for '
                || string_agg(told.days, '; ' order by told.days) || '. Add them to exchange_rates.',
            'Every row has an exchange rate on its day.'
        ) as message
    from (values {% for table in priced %}{{ ', ' if not loop.first }}('{{ table }}'){% endfor %}) as judged (table_name)
    left join (
        select
            table_name,
            sum(row_count) as row_count,
            currency || ' on ' || string_agg(cast(day as varchar), ', ' order by day) filter (where number <= 10)
                || case when count(*) > 10 then ' and ' || (count(*) - 10) || ' more days' else '' end as days
        from (
            select foreign_days.*, row_number() over (partition by table_name, foreign_days.currency order by day) as number
            from (
                {%- for table, days in priced.items() %}
                {{ 'union all' if not loop.first }}
                select '{{ table }}' as table_name, store_id, currency, day, count(*) as row_count
                from ({{ days }}) as foreign_rows
                group by store_id, currency, day
                {%- endfor %}
            ) as foreign_days
            left join {{ ref('stg_exchange_rates') }} as rates
                on foreign_days.store_id = rates.store_id
                and foreign_days.currency = rates.currency
                and foreign_days.day = rates.date
            where rates.rate is null
        ) as unpriced
        group by table_name, currency
    ) as told on judged.table_name = told.table_name
    group by judged.table_name
{%- endmacro %}

{# The days on which a rate is asked for, one row per row that is valued on it. #}
{% macro days_of_foreign_orders() -%}
    select store_id, currency, {{ local_date('ordered_at') }} as day from {{ ref('stg_orders') }}
    where currency <> '{{ var("reporting_currency") }}'
{%- endmacro %}

{% macro days_of_foreign_spend() -%}
    select store_id, currency, spend_date as day from {{ ref('stg_marketing_spend') }}
    where currency <> '{{ var("reporting_currency") }}'
{%- endmacro %}

{# A cost is valued on the day of each order that it is the cost of. #}
{% macro days_of_foreign_costs() -%}
    select costs.store_id, costs.currency, {{ local_date('orders.ordered_at') }} as day
    from ({{ dated_values(ref('stg_product_costs'), 'unit_cost') }}) as costs
    inner join {{ ref('stg_order_items') }} as lines
        on costs.store_id = lines.store_id and costs.product_id = lines.product_id
    inner join {{ ref('stg_orders') }} as orders
        on lines.store_id = orders.store_id and lines.order_id = orders.order_id and {{ valid_at('costs', 'orders.ordered_at') }}
    where costs.currency <> '{{ var("reporting_currency") }}'
{%- endmacro %}

{# A refund that lies on no order line is valued on its own day, in the one currency of its source's orders. #}
{% macro days_of_foreign_refunds() -%}
    select refunds.store_id, sources.currency, {{ local_date('refunds.refunded_at') }} as day
    from {{ ref('stg_refunds') }} as refunds
    inner join (
        select store_id, _source, min(currency) as currency from {{ ref('stg_orders') }}
        group by store_id, _source
        having min(currency) = max(currency) and min(currency) <> '{{ var("reporting_currency") }}'
    ) as sources
        on refunds.store_id = sources.store_id and refunds._source = sources._source
    left join {{ ref('stg_order_items') }} as lines on refunds.store_id = lines.store_id and refunds.order_id = lines.order_id
    where lines.order_id is null
{%- endmacro %}
