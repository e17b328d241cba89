-- Grain: one product category in lower case ('' = none) with the tax and margin rates the settings assume for it;
-- null = none.
{{ config(materialized='view') }}

with categories as (

    select distinct lower(coalesce(category, '')) as category from {{ ref('dim_products') }}
    union
    select ''

),

rates as (

    select
        lower(scope) as category,
        max(case when kind = 'tax_rate' then rate end) as tax_rate,
        max(case when kind = 'margin_rate' then rate end) as margin_rate
    from {{ source('ops', 'assumed_rates') }}
    group by lower(scope)

),

final as (

    select
        categories.category,
        rates.tax_rate,
        defaults.tax_rate as default_tax_rate,
        coalesce(rates.margin_rate, defaults.margin_rate) as margin_rate
    from categories
    left join rates on categories.category = rates.category
    left join rates as defaults on defaults.category = 'default'

)

select * from final
