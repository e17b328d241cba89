{#
    Models that are kept: what is touched is made anew, all else stays as it is.

    A kept model is a table whose rows fall into groups by its `key`, each made of rows that other relations hold for the
    same key. A model named int_<plural>_touched lists the keys that something new, corrected or gone may reach; the kept
    model is made for these keys only, and what differs from its rows of before is exchanged, in one transaction.
    The rows that left (-1) and came (1) stay in `changed.<model>` until a whole build has passed, so that models behind
    it find what reaches them, also after a run that was killed. A full refresh makes everything anew and changes nothing
    of what the models mean.
#}

{# Are rows of before kept in this run? #}
{% macro is_kept() %} {{- return(execute and not flags.FULL_REFRESH) -}} {% endmacro %}

{# The rows of a kept model that left or came since a whole build has passed. #}
{% macro changed(name) -%}
    {%- do ref(name) -%} {{ generate_schema_name('changed', none) }}.{{ name }}
{%- endmacro %}

{# What is told of a kept model (a relation) where rows only came since a whole build has passed, else none. What a model found among
   the rows of before then still holds: it reads that of itself, and asks only those that came. #}
{% macro told_if_only_came(name) -%}
    {%- set told = changed(name) -%}
    {{- return(told if is_kept() and not is_any(told ~ ' where _change < 0')) -}}
{%- endmacro %}

{# `alias` only where its key is touched, as a condition; true in a full refresh. #}
{% macro is_touched(alias, touched, key, listed=none, date=none) -%}
    {%- if not execute -%} {%- do ref(touched) -%} {%- endif -%}
    {%- if is_kept() -%}
    {%- if date %} {{ is_on_date(alias ~ '.' ~ date, ref(touched), (listed or key)[key.index(date)]) }} and {% endif %}
    {{- is_among(alias, key, ref(touched), listed=listed) }}
    {%- else -%} true
    {%- endif -%}
{%- endmacro %}

{# `alias` only where a relation of few rows asks for it, as a condition; true in a full refresh, which asks for all. #}
{% macro is_asked_for(alias, columns, relation, listed=none) -%}
    {%- if is_kept() -%} {{ is_among(alias, columns, relation, listed=listed) }} {%- else -%} true {%- endif -%}
{%- endmacro %}

{# The rows that this run made anew of a kept model whose `rows_anew_are_read`, as they are now; all in a full refresh. Not for views,
   which outlast the run. #}
{% macro rows_anew(name) -%}
    {%- do ref(name) -%} {{ changed(name) ~ '__anew' if is_kept() else ref(name) }}
{%- endmacro %}

{# And, in a kept run, the rows of before that stay as they are, of the groups in which others are made anew: for what a row's place
   among others tells. `relation` lists these groups, or more: a table, since an engine that cannot tell how few they are reads the
   large one into memory to find them. #}
{% macro and_rows_staying(columns, group, relation, condition) -%}
    {%- if is_kept() -%}
    union all
    select {{ columns }} from {{ this }} as staying
    where
        {{ condition }}
        and {{ is_among('staying', group, relation) }}
        and not {{ is_among('staying', config.require('key'), held_before('intermediate', config.require('touched'))) }}
    {%- endif -%}
{%- endmacro %}

{# Is a date among those of a relation? Asked while the model is compiled and told as constants, which reach through views
   and unions to the tables and skip all other days. #}
{% macro is_on_date(date, relation, column) -%}
    {%- set days = run_query('select distinct ' ~ column ~ ' from ' ~ relation ~ ' order by 1').columns[0].values() -%}
    {%- if not days -%} false
    {%- elif days | length > 1000 -%} {{ date }} between date '{{ days | first }}' and date '{{ days | last }}'
    {%- else -%} {{ date }} in (date '{{ days | join("', date '") }}')
    {%- endif -%}
{%- endmacro %}

{# May a date lie in one of a relation's few spans of days? Told as constants, so that all other days are skipped; beside the
   join that says in which. A span that ends before it begins, or has no end, holds no day. #}
{% macro may_be_within(date, relation, first, last) -%}
    {%- if not is_kept() -%} true
    {%- else -%}
    {%- set spans = run_query(
        'select distinct ' ~ first ~ ', ' ~ last ~ ' from ' ~ relation ~ ' where ' ~ first ~ ' <= ' ~ last ~ ' order by 1, 2'
    ).rows -%}
    {%- if not spans -%} false
    {%- elif spans | length > 200 -%} true
    {%- else -%}
    ({% for span in spans %}{{ ' or ' if not loop.first }}{{ date }} between date '{{ span[0] }}' and date '{{ span[1] }}'{% endfor %})
    {%- endif -%}
    {%- endif -%}
{%- endmacro %}

{# Are the alias's columns among those of a relation? Written as `in`, not as `exists`: engines then know that the columns
   are equal, and skip what of a table lies outside the range of those asked for. #}
{% macro is_among(alias, columns, relation, condition='true', listed=none) -%}
    ({{ alias }}.{{ columns | join(', ' ~ alias ~ '.') }}) in (
        select {{ (listed or columns) | join(', ') }} from {{ relation }} as listed where {{ condition }}
    )
{%- endmacro %}

{# The distinct keys that a query reaches, and the surrogate of each where one is named; none in a full refresh, where everything is
   made anew. #}
{% macro touched_keys(columns, type=none, surrogate=none) -%}
    {%- set reached = caller() if is_kept() or not execute -%}
    {%- if is_kept() -%}
    select distinct {{ columns | join(', ') }}{% if surrogate %}, {{ key(columns) }} as {{ surrogate }}{% endif %} from (
        {{ reached }}
    ) as reached
    where {{ columns | join(' is not null and ') }} is not null
    {%- else -%}
    select {% for column in columns %}{{ ', ' if not loop.first }}cast(null as {{ type if type and loop.last else dbt.type_string() }}) as {{ column }}{% endfor %}
    {%- if surrogate %}, cast(null as uuid) as {{ surrogate }}{% endif %} where false
    {%- endif -%}
{%- endmacro %}

{# Stores of which a flag of int_periods_set has turned. #}
{% macro stores_turned(flag) -%}
    select store_id from {{ changed('int_periods_set') }}
    group by store_id
    having min(case when {{ flag }} then 1 else 0 end) <> max(case when {{ flag }} then 1 else 0 end)
{%- endmacro %}

{# From which moment on the versions of a thing tell something else than before. A version that only ends earlier or later
   says the same of the moments within both; `for_good` names an attribute whose current value holds for all time. #}
{% macro versions_changed(dimension, id, attributes, for_good=none) -%}
    select
        store_id,
        {{ id }},
        case
            when min(_change) <> max(_change) and count(distinct {{ row_hash(attributes) }}) = 1 then min(valid_to_at)
            else valid_from_at
        end as touched_from_at
    from {{ changed(dimension) }}
    group by store_id, {{ id }}, valid_from_at
    {%- if for_good %}
    union all
    select store_id, {{ id }}, {{ beginning() }} from {{ changed(dimension) }}
    where is_current
    group by store_id, {{ id }}
    having count(distinct {{ for_good }}) > 1 or min(_change) = max(_change)
    {%- endif %}
{%- endmacro %}

{# The rows that a model further down held before this run: only for keys that cannot be told otherwise. #}
{% macro held_before(schema, name) -%}
    {{ generate_schema_name(schema, none) }}.{{ name }}
{%- endmacro %}

{% materialization kept, default %}
    {%- set target = this.incorporate(type='table') -%}
    {%- set changes = target.incorporate(path={'schema': generate_schema_name('changed', none)}) -%}
    {%- if flags.FULL_REFRESH -%}
        {%- do make_anew(target, changes) -%}
    {%- else -%}
        {%- do exchange_touched(target, changes) -%}
    {%- endif -%}
    {%- do adapter.commit() -%}
    {{ return({'relations': [target]}) }}
{% endmaterialization %}

{# What several kept models read of a large one: a view in a full refresh, else a table of the touched rows, so that the
   large one is read once. #}
{% materialization slice, default %}
    {%- do drop_existing(load_cached_relation(this)) -%}
    {%- set target = this.incorporate(type='table' if is_kept() else 'view') -%}
    {%- call statement('main') -%}
    create {{ target.type }} {{ target }} as (
        {{ model['compiled_code'] }}
    );
    {%- endcall -%}
    {%- do adapter.commit() -%}
    {{ return({'relations': [target]}) }}
{% endmaterialization %}

{% macro make_anew(target, changes) -%}
    {%- do drop_existing(load_cached_relation(this)) -%}
    {%- call statement('main') -%}
    create table {{ target }} as (
        {{ model['compiled_code'] }}
        {{- order_of_rows() }}
    );
    drop table if exists {{ changes }};
    create table {{ changes }} as (
        select
            {{ told_columns() or '*' }},
            cast(0 as integer) as _change,
            cast(null as {{ dbt.type_string() }}) as _run
        from {{ target }}
        where false
    );
    {%- endcall -%}
    {%- do run_hooks(post_hooks, inside_transaction=True) -%}
{%- endmacro %}

{# Rows of a large table may be `sorted_by` a date, as they would come day by day: who asks for days, or for keys that grow with them,
   then skips the rest. #}
{% macro order_of_rows() -%}
    {%- if config.get('sorted_by') %}
        order by {{ config.get('sorted_by') }}
    {%- endif -%}
{%- endmacro %}

{# What is told of rows that came and went: all columns of a model that is small. Of one that knows what is touched, its key
   and what it `carries` beside, of all touched rows, since comparing wide rows costs more than it spares; or, where it is
   `compared` by some columns (or 'all'), these of the rows that differ in them: nothing that reads what is told may rest on
   others. What a surrogate key, of one column, is `named_by` is not read again:
   it stands beside the key in what lists the touched, each once. #}
{% macro told_columns() -%}
    {%- set compared = config.get('compared', []) -%}
    {%- if config.get('touched') and compared != 'all' -%}
    {{ (config.require('key') + config.get('named_by', []) + config.get('carries', []) + compared) | join(', ') }}
    {%- endif -%}
{%- endmacro %}

{# The columns of a table, as a list in SQL: an empty answer tells them sooner than the engine's catalogue, which is read as a whole. #}
{% macro columns_of(relation) -%}
    {%- set named = [] -%}
    {%- for name in run_query('select * from ' ~ relation ~ ' limit 0').column_names -%} {%- do named.append(adapter.quote(name)) -%} {%- endfor -%}
    {{- return(named | join(', ')) -}}
{%- endmacro %}

{% macro exchange_touched(target, changes) -%}
    {%- set key, touched, told = config.require('key'), config.get('touched'), told_columns() or columns_of(target) -%}
    {%- set named = config.get('named_by', []) -%}
    {%- set is_told, is_read = config.get('is_told', true), config.get('rows_anew_are_read', false) -%}
    {%- set earlier = this.identifier ~ '__earlier' -%}
    {%- set fresh = changes.incorporate(path={'identifier': this.identifier ~ '__anew'}) if is_read else this.identifier ~ '__fresh' -%}
    {%- set reached = (own_touched() if touched == 'own' else held_before('intermediate', touched)) if touched else changes -%}
    {%- set of_this_run = 'true' if touched else "_run = '" ~ invocation_id ~ "'" -%}
    {%- call statement('main') -%}
    drop table if exists {{ fresh }};
    create {{ 'temporary ' if not is_read }}table {{ fresh }} as (
        {{ model['compiled_code'] }}
    );
    {%- if is_told %}
    create temporary table {{ earlier }} as (
        select earlier.{{ row_address() }} as _row{% for name in told.split(', ') %}, {{ 'listed' if name.strip('"') in named else 'earlier' }}.{{ name }}{% endfor %}
        from {{ target }} as earlier
        {%- if named %}
        inner join {{ reached }} as listed on earlier.{{ key[0] }} = listed.{{ key[0] }}
        {%- elif touched %}
        where {{ is_among('earlier', key, reached) }} {%- if touched == 'own' %} and {{ may_be_a_place('earlier', spans_of_places()) }} {%- endif %}
        {%- endif %}
    );
    insert into {{ changes }} ({{ told }}, _change, _run)
    {%- if touched and not config.get('compared') %}
    select {{ told }}, -1, '{{ invocation_id }}' from {{ earlier }}
    union all
    select {{ told }}, 1, '{{ invocation_id }}' from {{ fresh }};
    {%- else %}
    select {{ told }}, case when sum(_change) < 0 then -1 else 1 end, '{{ invocation_id }}'
    from (
        select {{ told }}, -1 as _change from {{ earlier }}
        union all
        select {{ told }}, 1 from {{ fresh }}
    ) as compared
    group by {{ told }}
    having sum(_change) <> 0;
    {%- endif %}
    {%- endif %}
    delete from {{ target }} as earlier
    where
    {%- if touched and is_told %} {{ row_address() }} in (select _row from {{ earlier }})
    {%- else %} {{ is_among('earlier', key, reached, of_this_run) }}
    {%- endif %};
    {#- in the same order of columns: where that changes, everything is made anew #}
    insert into {{ target }}
    select * from {{ fresh }} as fresh
    {%- if not touched %}
    where {{ is_among('fresh', key, reached, of_this_run) }}
    {%- endif %};
    {%- if not is_read %}
    drop table {{ fresh }};
    {%- endif %}
    {%- if is_told %}
    drop table {{ earlier }};
    {%- endif %}
    {%- endcall -%}
{%- endmacro %}

{# At the end of a run: what was laid beside `changed.<model>` for it alone goes before it is written into its place. #}
{% macro drop_rows_anew() -%}
    {%- if execute -%}
    {%- set schema = generate_schema_name('changed', none) -%}
    {%- set listed = run_query(
        "select table_name from information_schema.tables where table_schema = '" ~ schema ~ "' and table_name like '%\\_\\_%' escape '\\'"
    ) -%}
    {%- for name in listed.columns[0].values() %}
    drop table {{ schema }}.{{ name }};
    {%- endfor -%}
    {%- endif -%}
{%- endmacro %}
