-- Grain: one version of a product (SCD2). Ids that only facts know are inferred members with one version and no
-- attributes.
{{ config(materialized='kept', key=['store_id', 'product_id']) }}

with versions as (

    {{ versions_of(
        ref('stg_products'), 'product_id',
        ['name', 'kind', 'category', 'subcategory', 'brand', 'partner_id', 'list_price', 'unit_cost', 'is_active', 'launched_at'],
    ) }}

),

{{ mentioned_members('product_id', ['order_items', 'refunds', 'events', 'product_costs'], 'products') }}

inferred as (

    select mentioned.store_id, mentioned.product_id
    from mentioned
    left join versions on mentioned.store_id = versions.store_id and mentioned.product_id = versions.product_id
    where versions.product_id is null

),

members as (

    select *, false as is_inferred from versions
    union all
    select
        store_id, product_id,
        null, null, null, null, null, null, null, null, null, null,
        {{ beginning() }}, {{ forever() }}, true
    from inferred

),

final as (

    select
        {{ key(['store_id', 'product_id']) }} as product_key,
        {{ key(['store_id', 'product_id', 'valid_from_at']) }} as product_version_key,
        {{ key(['store_id', 'partner_id']) }} as partner_key,
        store_id, product_id, partner_id,
        name as product_name,
        coalesce(kind, 'good') as kind,
        category, subcategory, brand,
        cast(list_price as decimal(18, 4)) as list_price,
        cast(unit_cost as decimal(18, 4)) as unit_cost,
        coalesce(kind, 'good') in ({{ kinds_of_revenue() }}) as is_good,
        is_active, is_inferred,
        valid_to_at = {{ forever() }} as is_current,
        launched_at, valid_from_at, valid_to_at
    from members

)

select * from final
