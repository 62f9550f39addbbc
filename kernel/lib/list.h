/* SPDX-License-Identifier: MIT */
/* Circular doubly linked lists with the links inside the objects. */
#pragma once
#include "kernel/lib/compiler.h"

struct list {
	struct list *next, *prev;
};

#define LIST_INIT(name) { &(name), &(name) }

static inline void list_init(struct list *l)
{
	l->next = l->prev = l;
}

static inline bool list_empty(const struct list *l)
{
	return l->next == l;
}

static inline void list_insert(struct list *node, struct list *prev, struct list *next)
{
	node->prev = prev;
	node->next = next;
	prev->next = node;
	next->prev = node;
}

/* Add node first. */
static inline void list_push(struct list *head, struct list *node)
{
	list_insert(node, head, head->next);
}

/* Add node last. */
static inline void list_append(struct list *head, struct list *node)
{
	list_insert(node, head->prev, head);
}

/* Unlink node and leave it pointing to itself, so that a second remove is harmless. */
static inline void list_remove(struct list *node)
{
	node->prev->next = node->next;
	node->next->prev = node->prev;
	list_init(node);
}

/* Move all of from to the end of to; from becomes empty. */
static inline void list_splice(struct list *to, struct list *from)
{
	if (list_empty(from))
		return;
	from->next->prev = to->prev;
	to->prev->next = from->next;
	from->prev->next = to;
	to->prev = from->prev;
	list_init(from);
}

#define list_entry(node, type, member)	container_of(node, type, member)
#define list_first(head, type, member)	list_entry((head)->next, type, member)
#define list_last(head, type, member)	list_entry((head)->prev, type, member)

#define list_for_each(pos, head, member) \
	for (pos = list_first(head, __typeof__(*pos), member); &pos->member != (head); \
	     pos = list_entry(pos->member.next, __typeof__(*pos), member))

/* The body may remove pos (and nothing else). */
#define list_for_each_safe(pos, tmp, head, member) \
	for (pos = list_first(head, __typeof__(*pos), member), \
	     tmp = list_entry(pos->member.next, __typeof__(*pos), member); \
	     &pos->member != (head); \
	     pos = tmp, tmp = list_entry(tmp->member.next, __typeof__(*tmp), member))
