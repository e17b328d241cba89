-- Grain: one margin entry under its partner, and again under its category (unit_kind): never sum over both kinds.
-- subject_key is who the evidence is clustered by: the customer, else the guest order, else the nameless refund.
{{ config(materialized='view') }}

with entries as not materialized (

    select * from {{ ref('int_entries_touched') }}

),

final as (

    select
        entries.*,
        'partner' as unit_kind,
        entries.partner_id as unit_id
    from entries
    where entries.partner_id is not null
    union all
    select
        entries.*,
        'category' as unit_kind,
        entries.category as unit_id
    from entries
    where entries.category <> '(not set)'

)

select * from final
