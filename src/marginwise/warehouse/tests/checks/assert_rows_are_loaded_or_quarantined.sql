-- Every landed row is loaded or quarantined, never both and never neither; what is quarantined has a reason.
{{ config(tags=['check']) }}

with

table_grades as (
    select * from {{ ref('table_grades') }}
),

explained as (
    select distinct
        table_name,
        source_name,
        file_hash,
        row_number
    from {{ ref('quarantined_rows') }}
    where reason is not null
),

quarantined as (
    select
        table_name,
        count(*) as rows_explained
    from explained
    group by table_name
)

select
    table_grades.table_name,
    table_grades.rows_in,
    table_grades.rows_loaded,
    table_grades.rows_quarantined,
    quarantined.rows_explained
from table_grades
left join quarantined on table_grades.table_name = quarantined.table_name
where
    table_grades.rows_in <> table_grades.rows_loaded + table_grades.rows_quarantined
    or (table_grades.rows_quarantined > 0 and quarantined.rows_explained is null)
    or table_grades.rows_quarantined < quarantined.rows_explained
