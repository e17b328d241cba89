-- Grain: one margin entry under its partner, and again under its category (unit_kind): never sum over both kinds.
-- subject_key is who the evidence is clustered by: the customer, else the guest order, else the nameless refund.
{{ config(materialized='view') }}

with entries as (

    select * from {{ ref('int_margin_entries_united') }}

),

final as (

    select
        'partner' as unit_kind, partner_id as unit_id, coalesce(customer_key, order_key, entry_key) as subject_key, entries.*
    from entries
    where partner_id is not null
    union all
    select
        'category' as unit_kind, category as unit_id, coalesce(customer_key, order_key, entry_key) as subject_key, entries.*
    from entries
    where category <> '(not set)'

)

select * from final
