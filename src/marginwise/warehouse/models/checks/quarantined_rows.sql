-- Grain: one broken rule of one landed row, or one unreadable line of one table its file group feeds; a row with two
-- broken rules is here twice.
{{ config(schema='quarantine') }}

with

files as (
    select file_hash, raw_table, max(file_name) as file_name
    from {{ source('ops', 'files') }}
    group by file_hash, raw_table
),

unreadable_lines as (
    {{ unreadable_lines_of_tables() }}
),

formats as (
    select * from {{ source('ops', 'declared_formats') }}
),

rules as (
    {{ rules_listed() }}
),

broken as (
    {{ broken_rules_of_all_tables() }}
),

explained as (
    select
        broken.table_name,
        broken.source_name,
        broken.raw_table,
        broken.file_hash,
        broken.row_number,
        rules.rule,
        rules.column_name,
        case when not rules.is_pii then nullif(broken.value, '') end as value,
        case
            when rules.rule = 'key' then 'the key ''' || broken.value || ''' comes more than once'
            when rules.rule = 'required' then rules.column_name || ' is empty'
            when rules.is_pii then rules.column_name || ' holds a value not shown here'
            else rules.column_name || ' is ''' || broken.value || ''''
        end || '; ' || coalesce(formats.accepted, rules.accepted) || '.' as reason
    from broken
    inner join rules
        on broken.table_name = rules.table_name and broken.broken = rules.rule || ':' || rules.column_name
    left join formats
        on
            broken.raw_table = formats.raw_table
            and broken.table_name = formats.table_name
            and rules.column_name = formats.column_name
            and rules.rule = 'type'
),

unreadable as (
    select
        table_name,
        source_name,
        raw_table,
        file_hash,
        row_number,
        'unreadable' as rule,
        cast(null as varchar) as column_name,
        cast(null as varchar) as value,
        'The line cannot be read: ' || reason as reason
    from unreadable_lines
),

quarantined as (
    select * from explained
    union all
    select * from unreadable
),

final as (
    select
        quarantined.table_name,
        quarantined.source_name,
        quarantined.file_hash,
        files.file_name,
        quarantined.row_number,
        quarantined.rule,
        quarantined.column_name,
        quarantined.value,
        quarantined.reason
    from quarantined
    left join files on quarantined.file_hash = files.file_hash and quarantined.raw_table = files.raw_table
)

select * from final
