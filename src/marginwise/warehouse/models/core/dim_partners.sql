-- Grain: one version of a partner (SCD2). Ids that only facts know are inferred members with one version and no
-- attributes.
{{ config(materialized='kept', key=['store_id', 'partner_id']) }}

with versions as (

    {{ versions_of(
        ref('stg_partners'), 'partner_id', ['name', 'kind', 'segment', 'joined_at', 'commission_rate', 'country'],
    ) }}

),

{{ mentioned_members('partner_id', ['orders', 'order_items', 'products'], 'partners') }}

inferred as (

    select mentioned.store_id, mentioned.partner_id
    from mentioned
    left join versions on mentioned.store_id = versions.store_id and mentioned.partner_id = versions.partner_id
    where versions.partner_id is null

),

members as (

    select *, false as is_inferred from versions
    union all
    select
        store_id, partner_id,
        null, null, null, null, null, null,
        {{ beginning() }}, {{ forever() }}, true
    from inferred

),

final as (

    select
        {{ key(['store_id', 'partner_id']) }} as partner_key,
        {{ key(['store_id', 'partner_id', 'valid_from_at']) }} as partner_version_key,
        store_id, partner_id,
        coalesce(name, partner_id) as partner_name,
        kind, segment, country,
        cast(commission_rate as decimal(18, 4)) as commission_rate,
        is_inferred,
        valid_to_at = {{ forever() }} as is_current,
        joined_at, valid_from_at, valid_to_at
    from members

)

select * from final
