-- Grain: one customer of a partner or category (unit_kind, unit_id), ever: when the first purchase of it was, and
-- whether another day's purchase of the same unit followed within H days, passed or not: windows judge only those for whom
-- they have. All customers in a full refresh, else those of touched entries.
{{ config(materialized='view') }}
with entries as (

    select * from {{ ref('int_assortment_entries_assigned') }}
    where {{ is_sale_entry() }} and customer_key is not null

),

purchase_days as (

    select
        store_id,
        unit_kind,
        unit_id,
        subject_key,
        entry_date,
        min(entry_date) over (partition by store_id, unit_kind, unit_id, subject_key) as entered_date
    from entries
    group by store_id, unit_kind, unit_id, subject_key, entry_date

),

final as (

    select
        store_id,
        unit_kind,
        unit_id,
        subject_key,
        entered_date,
        max(
            case
                when
                    entry_date > entered_date
                    and {{ days_between('entered_date', 'entry_date') }} <= {{ var('horizon_days') }}
                    then 1
                else 0
            end
        ) = 1 as has_repeated
    from purchase_days
    group by store_id, unit_kind, unit_id, subject_key, entered_date

)

select * from final
