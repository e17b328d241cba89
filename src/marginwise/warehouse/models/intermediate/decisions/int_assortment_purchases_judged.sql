-- Grain: one customer of a partner or category (unit_kind, unit_id), ever: when the first purchase of it was, and
-- whether another day's purchase of the same unit followed within H days, passed or not: windows judge only those for whom
-- they have. All customers in a full refresh, else those of touched entries.
{{ config(materialized='view') }}
with entries as (

    select * from {{ ref('int_assortment_entries_assigned') }}
    where {{ is_sale_entry() }} and customer_key is not null

),

entered as (

    select unit_kind, unit_id, subject_key, min(entry_date) as entered_date from entries
    group by unit_kind, unit_id, subject_key

),

final as (

    select
        entered.unit_kind,
        entered.unit_id,
        entered.subject_key,
        entered.entered_date,
        max(
            case
                when
                    entries.entry_date > entered.entered_date
                    and {{ days_between('entered.entered_date', 'entries.entry_date') }} <= {{ var('horizon_days') }}
                    then 1
                else 0
            end
        ) = 1 as has_repeated
    from entered
    inner join entries
        on
            entered.unit_kind = entries.unit_kind
            and entered.unit_id = entries.unit_id
            and entered.subject_key = entries.subject_key
    group by entered.unit_kind, entered.unit_id, entered.subject_key, entered.entered_date

)

select * from final
