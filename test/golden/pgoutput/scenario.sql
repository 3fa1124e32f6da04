create type mood as enum ('sad', 'ok', 'happy')
create domain amount as numeric(8,2) check (value >= 0)
create table item (id int primary key, name text, price amount, mood mood, big text, "größe 😀" int)
alter table item alter column big set storage external
create table whole (a int, b text, c bytea)
alter table whole replica identity full
create table indexed (a int not null, b text not null, c text)
create unique index indexed_b on indexed (b)
alter table indexed replica identity using index indexed_b
create table bare (a int)
alter table bare replica identity nothing
create table child (id int references item)
insert into item values (1, 'one', 1.50, 'ok', repeat('x', 3000), 7), (2, null, null, null, null, null), (3, '', 0, 'sad', E'tab\t, line\n, \\ and ''', -1)
update item set name = 'uno' where id = 1
update item set id = 10, big = 'short' where id = 2
delete from item where id = 3
insert into whole values (1, 'a', '\x00ff'), (2, null, null)
update whole set b = 'b' where a = 1
delete from whole where a = 2
insert into indexed values (1, 'k', 'v')
update indexed set c = 'w' where a = 1
update indexed set b = 'l' where a = 1
delete from indexed where a = 1
insert into bare values (5)
alter table item add column added timestamptz default '2020-02-29 12:00:00.123456+00', drop column mood
insert into item (id) values (4)
select pg_logical_emit_message(true, 'prefix', 'transactional'), pg_logical_emit_message(false, 'größe', '\x00010203'::bytea)
begin; insert into whole values (3, 'c', '\x'); insert into bare values (6); savepoint s; insert into bare values (7); rollback to s; insert into bare values (8); commit
truncate bare
truncate item restart identity cascade
select pg_replication_origin_create('elsewhere'); select pg_replication_origin_session_setup('elsewhere')
begin; select pg_replication_origin_xact_setup('0/AABBCCDD', '2020-01-01 00:00:00+00'); insert into bare values (9); commit
